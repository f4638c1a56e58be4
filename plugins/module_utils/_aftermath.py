# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After an archive was sent: what the cluster holds now, when it is ready, and the proof."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any

from ._client import Client
from ._errors import ApiError, ClusterError, RestoreError, SnapshotError, TransportError
from ._fingerprint import Fingerprint
from ._proof import Prover
from ._ready import Expected, wait_until_ready

NOTHING_SENT, REJECTED, REPLACED, UNKNOWN = "nothing_sent", "rejected", "replaced", "unknown"
_WORDS = {
    NOTHING_SENT: "Nothing was sent",
    REJECTED: "The cluster's old state stands",
    REPLACED: "The archive's state is in place all the same",
    UNKNOWN: "What the cluster holds now is not known: look before doing anything else",
}

_REFUSALS = (
    "bad_archive", "datacenter_down", "endpoint_blocked", "no_leader", "not_found", "option", "permission_denied",
    "rate_limited", "token_unknown", "too_large", "unknown_datacenter", "write_restricted", "wrong_scheme",
)  # fmt: skip
"""Answers that come before anything is replaced; after any other one the cluster is looked at."""

_PROOF_SECONDS = 30
"""How long what differs is looked at again: a new server's node stands in the catalog without its ``serfHealth`` check
for a moment, and looks like a user's (observed on 1.8.7 and 1.22.7); the leader may be at its start-up work still."""


def failed_restore(
    failed: SnapshotError,
    askers: Sequence[Client],
    *,
    prover: Prover,
    before: Fingerprint,
    kept: str | None,
) -> RestoreError:
    """Return the error for a restore that was not answered with a plain yes.

    :param askers: clients to look with, the first one whose token still holds decides.
    :param before: what the cluster held before.
    :param kept: path of the safety archive, which the message names.
    """
    if isinstance(failed, TransportError) and failed.unsent:
        state = NOTHING_SENT
    elif isinstance(failed, ApiError) and failed.kind in _REFUSALS:
        state = REJECTED
    else:
        state = _what_stands(askers, prover, before)
        if state == REJECTED and not _is_over(failed):
            state = UNKNOWN
    message, hint = f"Consul did not restore: {failed.message}", failed.hint
    if isinstance(failed, TransportError) and not failed.unsent:
        message = f"Consul did not answer the restore; a server may be dead ({failed.message})"
        hint = (
            "It was not sent again. See whether the servers run ('consul members', their logs). A server that dies "
            "again at each start can't load what was stored: stop it, remove the newest directory below "
            "<data_dir>/raft/snapshots, start it; its old state is back. docs/runbook.md has it step by step, for one "
            "server and for three."
        )
    return RestoreError(
        f"{message}. {_WORDS[state]}{where_kept(kept)}", state=state, hint=hint, cause=failed.as_failure()
    )


def where_kept(path: str | None) -> str:
    """Return the end of a message that says where the safety archive lies; empty when there is none."""
    return f". What it held before is in {path}" if path else ""


def wait(client: Client, *, datacenter: str | None, seconds: float, expected: Expected, kept: str | None) -> None:
    """Wait until the restored cluster is ready.

    :raises RestoreError: it isn't within ``seconds``; its state is ``replaced``.
    """
    try:
        wait_until_ready(client, datacenter=datacenter, seconds=seconds, expected=expected)
    except ClusterError as error:
        raise RestoreError(
            f"the archive was restored, but the cluster is not ready {error.message}{where_kept(kept)}",
            state=REPLACED,
            hint="If the token is unknown: the archive's tokens are in force now; give one as post_restore_token. "
            + error.hint,
        ) from None


def proof(client: Client, *, prover: Prover, seconds: float, kept: str | None) -> dict[str, Any]:
    """Compare what the cluster holds now with the archive and return the comparison.

    :param seconds: what differs is looked at again for that long, and for half a minute at most.
    :raises RestoreError: it differs, or could not be read; its state is ``replaced``.
    """
    found: dict[str, Any] = {}
    end = time.monotonic() + min(seconds, _PROOF_SECONDS)
    while True:
        last = time.monotonic() >= end
        try:
            found = prover.look(client).proof
            if found["equal"]:
                return found
        except SnapshotError as error:
            if last or not error.retryable:
                raise RestoreError(
                    f"the archive was restored, but that can't be proven: {error.message}{where_kept(kept)}",
                    state=REPLACED,
                    hint=error.hint,
                ) from None
            if isinstance(error, ApiError) and error.kind == "too_early":
                _touch(client, prover.datacenter)
        if last:
            break
        time.sleep(1)
    raise RestoreError(
        f"the archive was restored, but the cluster's content is not the archive's: {', '.join(found['differs'])}"
        f"{where_kept(kept)}",
        state=REPLACED,
        hint="Somebody may be writing to the cluster already. Run the restore again to see whether it still differs.",
        proof=found,
    )


def _touch(client: Client, datacenter: str | None) -> None:
    # When autopilot removes a dead server, raft takes no snapshot until something is written, and in a cluster whose
    # agents lost their tokens with the restore nothing is, for good (observed on 1.22.7).
    with contextlib.suppress(SnapshotError):
        client.touch(datacenter=datacenter)


def _is_over(failed: SnapshotError) -> bool:
    # Whoever gave up waiting, this host, a proxy or the agent that passed it on: the servers may still be at it.
    return isinstance(failed, ApiError) and failed.kind != "no_quorum" and failed.status not in (502, 504)


def _what_stands(askers: Sequence[Client], prover: Prover, before: Fingerprint) -> str:
    # A 500 can come before and after the state is replaced; only a look at it tells.
    for asker in askers:
        try:
            seen = prover.look(asker)
        except SnapshotError:
            continue
        if seen.proof["equal"]:
            return REPLACED
        if seen.fingerprint == before:
            return REJECTED
    return UNKNOWN
