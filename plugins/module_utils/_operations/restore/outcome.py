# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of an archive that was sent: its state, and the errors that say so (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..._compare.equivalence import Comparison
from ..._errors import ApiError, RestoreError, SnapshotError, TransportError
from ..._model.losses import described, of_legacy_tokens
from ..._snapshot.records.fingerprint import Fingerprint
from .states import NOTHING_SENT, REJECTED, REPLACED, STATES, UNKNOWN

_REFUSALS = (
    "bad_archive", "datacenter_down", "endpoint_blocked", "no_leader", "not_found", "option", "permission_denied",
    "rate_limited", "token_unknown", "too_large", "unknown_datacenter", "write_restricted", "wrong_scheme",
)  # fmt: skip
"""Answers that come before anything is replaced; after any other one the cluster is looked at."""

AFTERWARDS = "post_restore_token"
"""The option that a role's user has under another name: ``failure.option`` tells which one is meant."""

DONT_SEND = "Don't send the archive again: the cluster holds its state. docs/runbook.md says how to go on."
_NO_ANSWER = (
    "It was not sent again. Check whether the servers run ('consul members', their logs). A server that crashes again "
    "at each start cannot load what was stored: stop it, remove the newest directory below <data_dir>/raft/snapshots, "
    "and start it; its old state is back. docs/runbook.md has each step, for one server and for three."
)
_LEGACY_TOKENS = (
    "This needs no writer: ACL tokens of the legacy kind carry their rules themselves, and these servers drop those "
    "rules, so the tokens exist but may grant nothing. Create a policy with the rules of each token (consul acl policy "
    "create), and attach it (consul acl token update)."
)


def state_by_answer(error: SnapshotError) -> str | None:
    """Return what an answer to the upload says of the cluster by itself; None where only a look at it tells."""
    if isinstance(error, TransportError) and error.unsent:
        return NOTHING_SENT
    if isinstance(error, ApiError) and error.kind in _REFUSALS:
        return REJECTED
    return None


def is_over(error: SnapshotError) -> bool:
    """Whether the servers themselves say that they are done.

    Where this host, a proxy or the agent that passed the archive on gave up waiting, they may still be at it.
    """
    return isinstance(error, ApiError) and error.kind != "no_quorum" and error.status not in (502, 504)


def state_by_content(seen: Comparison, before: Fingerprint) -> str | None:
    """Return what a comparison with the archive says of the cluster; None where it has to be compared with ``before``.

    :param before: the fingerprint of what the cluster held before.
    """
    if seen.equal and not seen.guessed:
        return REPLACED
    return REJECTED if seen.fingerprint == before else None


def state_by_comparisons(seen: Comparison, old: Comparison) -> str:
    """Return what comparisons with the archive and with the state before it say; others may be writing meanwhile."""
    return REJECTED if old.equal and not old.guessed and not seen.guessed else UNKNOWN


def failed(error: SnapshotError, state: str, backup_file: str | None) -> RestoreError:
    """Return the error for an upload that was not answered with a plain yes."""
    message, hint = f"Consul did not restore: {error.message}", error.hint
    if isinstance(error, TransportError) and not error.unsent:
        message = f"Consul did not answer the restore; a server may be dead ({error.message})"
        hint = _NO_ANSWER
    return RestoreError(
        f"{message}. {STATES[state]}{_saved(backup_file)}", state=state, hint=hint, cause=error.as_failure()
    )


def not_ready(error: SnapshotError, seen: Comparison | None, backup_file: str | None) -> RestoreError:
    """Return the error for a restored cluster that is not ready in time.

    :param seen: what it holds; None where that could not be read.
    """
    facts: dict[str, Any] = {} if seen is None else {"proof": seen.proof}
    content = "its content could not be read"
    if seen is not None:
        content = f"its content is the archive's{_apart_from(seen.proof)}" if seen.equal else _differing(seen.proof)
    hint = error.hint
    if error.facts.get("cause") == "token_unknown":
        facts["option"] = AFTERWARDS
        hint = f"The archive's tokens are in force now. Look with one of them. For the next restore set {AFTERWARDS}."
    return RestoreError(
        f"the archive was restored, but the cluster is not ready {error.message}; {content}{_saved(backup_file)}",
        state=REPLACED,
        hint=f"{hint} {DONT_SEND}",
        **facts,
    )


def unproven(error: SnapshotError, backup_file: str | None) -> RestoreError:
    """Return the error for a restored cluster whose content could not be read."""
    return RestoreError(
        f"the archive was restored, but that can't be proven: {error.message}{_saved(backup_file)}",
        state=REPLACED,
        hint=f"{error.hint} {DONT_SEND}".strip(),
    )


def disproven(seen: Comparison, src: str, backup_file: str | None) -> RestoreError:
    """Return the error for a restored cluster that does not hold the archive's content."""
    proof, message = seen.proof, f"the archive was restored, but {_differing(seen.proof)}"
    hint = (
        f"snapshot_diff with before: {src} names the records that differ. What was written since the restore is not "
        "counted (written_since)."
    )
    if seen.losses:
        proof = {**proof, "lost": [asdict(loss) for loss in seen.losses]}
        message += (
            f". The servers' Consul version does not know everything that the archive holds: {described(seen.losses)}"
        )
    if of_legacy_tokens(seen.losses):
        hint = _LEGACY_TOKENS
    return RestoreError(f"{message}{_saved(backup_file)}", state=REPLACED, hint=f"{hint} {DONT_SEND}", proof=proof)


def _saved(path: str | None) -> str:
    return f". What it held before is in {path}" if path else ""


def _differing(proof: Mapping[str, Any]) -> str:
    return f"the cluster's content is not the archive's: {', '.join(proof['differs'])}"


def _apart_from(proof: Mapping[str, Any]) -> str:
    written = proof.get("written_since")
    return f", apart from what was written since ({', '.join(written)})" if written else ""
