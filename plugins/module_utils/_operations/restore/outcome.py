# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After an archive was sent: what the cluster holds now, when it is ready, and the proof."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..._consul.client import Client
from ..._consul.readiness import Expected, wait_until_ready
from ..._errors import ApiError, ClusterError, RestoreError, SnapshotError, TransportError
from ..._model.losses import described, of_legacy_tokens
from ..proof import Look, Prover

NOTHING_SENT, REJECTED, REPLACED, UNKNOWN = "nothing_sent", "rejected", "replaced", "unknown"
_WORDS = {
    NOTHING_SENT: "Nothing was sent",
    REJECTED: "The cluster still holds its old state",
    REPLACED: "The cluster holds the archive's state all the same",
    UNKNOWN: "What the cluster holds now is not known: look before doing anything else",
}

_REFUSALS = (
    "bad_archive", "datacenter_down", "endpoint_blocked", "no_leader", "not_found", "option", "permission_denied",
    "rate_limited", "token_unknown", "too_large", "unknown_datacenter", "write_restricted", "wrong_scheme",
)  # fmt: skip
"""Answers that come before anything is replaced; after any other one the cluster is looked at."""

AFTERWARDS = "post_restore_token"
"""The option that a role's user has under another name: ``failure.option`` tells which one is meant."""

DONT_SEND = "Don't send the archive again: the cluster holds its state. docs/runbook.md says how to go on."

_PROOF_SECONDS = 30
"""How long what differs is looked at again: a new server's node stands in the catalog without its ``serfHealth`` check
for a moment, and looks like a user's (observed on 1.8.7 and 1.22.7); the leader may be at its start-up work still."""


def failed_restore(
    failed: SnapshotError,
    askers: Sequence[Client],
    *,
    prover: Prover,
    earlier: Prover,
    kept: str | None,
) -> RestoreError:
    """Return the error for a restore that was not answered with a plain yes.

    :param askers: clients to look with, the first one whose token still holds decides.
    :param earlier: compares with what the cluster held before.
    :param kept: path of the safety archive, which the message names.
    """
    if isinstance(failed, TransportError) and failed.unsent:
        state = NOTHING_SENT
    elif isinstance(failed, ApiError) and failed.kind in _REFUSALS:
        state = REJECTED
    else:
        state = _what_stands(askers, prover, earlier)
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


def wait(client: Client, *, seconds: float, expected: Expected, prover: Prover, kept: str | None) -> None:
    """Wait until the restored cluster is ready.

    :raises RestoreError: it isn't within ``seconds``; its state is ``replaced``. Its content is looked at all the same.
    """
    try:
        wait_until_ready(client, datacenter=prover.datacenter, seconds=seconds, expected=expected)
    except ClusterError as error:
        facts: dict[str, Any] = {}
        seen = "its content could not be read"
        with contextlib.suppress(SnapshotError):
            facts["proof"] = found = prover.look(client).proof
            seen = f"its content is the archive's{_apart(found)}" if found["equal"] else _differing(found)
        if error.facts.get("cause") == "token_unknown":
            facts["option"] = AFTERWARDS
            hint = (
                f"The archive's tokens are in force now. Look with one of them. For the next restore set {AFTERWARDS}. "
            )
        else:
            hint = f"{error.hint} "
        raise RestoreError(
            f"the archive was restored, but the cluster is not ready {error.message}; {seen}{where_kept(kept)}",
            state=REPLACED,
            hint=hint + DONT_SEND,
            **facts,
        ) from None


def proof(client: Client, *, prover: Prover, seconds: float, kept: str | None) -> dict[str, Any]:
    """Compare what the cluster holds now with the archive and return the comparison.

    What was written since the restore is told apart and named in it. What differs beyond that is looked at again.

    :param seconds: for how long, and for half a minute at most.
    :raises RestoreError: it differs, or could not be read; its state is ``replaced``.
    """
    look: Look | None = None
    end = time.monotonic() + min(seconds, _PROOF_SECONDS)
    while True:
        last = time.monotonic() >= end
        try:
            look = prover.look(client)
            if look.proof["equal"]:
                return look.proof
        except SnapshotError as error:
            if last or not error.retryable:
                raise RestoreError(
                    f"the archive was restored, but that can't be proven: {error.message}{where_kept(kept)}",
                    state=REPLACED,
                    hint=f"{error.hint} {DONT_SEND}".strip(),
                ) from None
            if isinstance(error, ApiError) and error.kind == "too_early":
                _touch(client, prover.datacenter)
        if last and look is not None:
            raise _disproven(look, prover, kept)
        time.sleep(1)


def _disproven(look: Look, prover: Prover, kept: str | None) -> RestoreError:
    found = look.proof
    message = f"the archive was restored, but {_differing(found)}"
    if look.losses:
        found = {**found, "lost": [asdict(loss) for loss in look.losses]}
        message += (
            f". The servers' Consul version does not know everything that the archive holds: {described(look.losses)}"
        )
    hint = (
        f"snapshot_diff with before: {prover.src} names the records that differ. What was written since the restore is "
        f"not counted (written_since). {DONT_SEND}"
    )
    if of_legacy_tokens(look.losses):
        hint = (
            "Nobody has to be writing: ACL tokens of the legacy kind carry their rules themselves, and these servers "
            "drop those rules, so the tokens exist but may do nothing. Create a policy with the rules for each "
            f"(consul acl policy create), and attach it (consul acl token update). {DONT_SEND}"
        )
    return RestoreError(f"{message}{where_kept(kept)}", state=REPLACED, hint=hint, proof=found)


def _differing(found: Mapping[str, Any]) -> str:
    return f"the cluster's content is not the archive's: {', '.join(found['differs'])}"


def _apart(found: Mapping[str, Any]) -> str:
    written = found.get("written_since")
    return f", apart from what was written since ({', '.join(written)})" if written else ""


def _touch(client: Client, datacenter: str | None) -> None:
    # When autopilot removes a dead server, raft takes no snapshot until something is written, and in a cluster whose
    # agents lost their tokens with the restore nothing is, for good (observed on 1.22.7).
    with contextlib.suppress(SnapshotError):
        client.commit_noop(datacenter=datacenter)


def _is_over(failed: SnapshotError) -> bool:
    # Whoever gave up waiting, this host, a proxy or the agent that passed it on: the servers may still be at it.
    return isinstance(failed, ApiError) and failed.kind != "no_quorum" and failed.status not in (502, 504)


def _what_stands(askers: Sequence[Client], prover: Prover, earlier: Prover) -> str:
    # A 500 can come before and after the state is replaced; only a look at it tells. Others may be writing meanwhile.
    for asker in askers:
        with contextlib.suppress(SnapshotError):
            seen = prover.look(asker, known=earlier.archive)
            if seen.proof["equal"] and not seen.guessed:
                return REPLACED
            if seen.fingerprint == earlier.archive:
                return REJECTED
            old = earlier.look(asker)
            if old.proof["equal"] and not old.guessed and not seen.guessed:
                return REJECTED
            break
    return UNKNOWN
