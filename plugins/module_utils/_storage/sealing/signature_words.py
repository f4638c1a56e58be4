# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh-keygen says of a signature, and what that means (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Union

NAMESPACE = "consul-snapshot"
"""What a signature of ours is for. One that the same key made for something else does not count."""

MISSING, MALFORMED, CHANGED, OTHER_NAMESPACE = "missing", "malformed", "changed", "namespace"
UNKNOWN, EXPIRED, NOT_YET_VALID, REVOKED, UNREADABLE = "unknown", "expired", "not_yet_valid", "revoked", "refused"
_LIMIT = 200

_TOO_OLD = re.compile(r"unknown option|invalid option|unsupported operation|illegal option|^usage:", re.IGNORECASE)
_CAUSES = (
    # The order counts: the first one that ssh-keygen names is the cause.
    ("couldn't parse signature", MALFORMED),
    ("incomplete message", MALFORMED),
    ("invalid format", MALFORMED),
    ("namespace does not match", OTHER_NAMESPACE),
    ("not permitted for use in signature namespace", OTHER_NAMESPACE),
    ("incorrect signature", CHANGED),
    ("key has expired", EXPIRED),
    ("certificate has expired", EXPIRED),
    ("not yet valid", NOT_YET_VALID),
    ("revoked", REVOKED),
    ("no principal matched", UNKNOWN),
)
_REASONS = {
    MISSING: "the manifest has no signature",
    MALFORMED: "the signature is damaged, or was not made by ssh-keygen",
    CHANGED: "the signature belongs to another manifest, or the manifest was changed after it was signed",
    OTHER_NAMESPACE: f"the signature was made, or its key is allowed, for something other than {NAMESPACE}",
    UNKNOWN: "the signature was made by a key that allowed_signers does not list",
    EXPIRED: "the key of the signature had expired, as allowed_signers says, when the archive was taken",
    NOT_YET_VALID: "the key of the signature was not yet valid, as allowed_signers says, when the archive was taken",
    REVOKED: "the key of the signature is revoked in revoked_signers, or that file is not a list of keys",
    UNREADABLE: "ssh-keygen refuses the signature",
}


class Signer(NamedTuple):
    """Who signed a manifest: the name that ``allowed_signers`` gives the key, and the key's own (``SHA256:…``)."""

    identity: str
    key: str


class Refusal(NamedTuple):
    """Why a signature does not count: one of the constants above, and the same in words that begin a sentence."""

    name: str
    reason: str


Verdict = Union[Signer, Refusal]


def refusal(name: str) -> Refusal:
    """Return a refusal with its words."""
    return Refusal(name, _REASONS[name])


def refusal_from(words: Sequence[str]) -> Refusal:
    """Return why ssh-keygen refused a signature, going by what it said."""
    said = " ".join(words).lower()
    found = [name for text, name in _CAUSES if text in said]
    return refusal(found[0] if found else UNREADABLE)


def is_too_old(words: Sequence[str]) -> bool:
    """Whether ssh-keygen says that it does not know what it was asked for."""
    return any(_TOO_OLD.search(line) for line in words)


def principals_in(output: bytes) -> list[str]:
    """Return the names that ``find-principals`` printed, one on each line, or between commas in older versions."""
    text = output.decode("utf-8", "replace").replace(",", "\n")
    return [name.strip() for name in text.splitlines() if name.strip().isprintable() and name.strip()][:_LIMIT]


def key_in(output: bytes) -> str:
    """Return the fingerprint that ``verify`` printed; empty where there is none."""
    match = re.search(r"\bSHA256:[A-Za-z0-9+/]{43}", output.decode("utf-8", "replace"))
    return match.group() if match else ""
