# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsing a restore: verify, guard, start a throwaway server, restore, wait, ask, prove, clean up."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from ..._compare.equivalence import Reference
from ..._compare.passes import changes
from ..._compare.record_diff import Selection
from ..._consul.client import Client
from ..._errors import ApiError, ArchiveError, MissingLibraryError, ServerDied, SnapshotError, TransportError
from ..._model.compatibility import is_enterprise, unrestorable
from ..._model.identity import ClusterIdentity
from ..._sandbox.server import Binary, Throwaway, find_binary, isolation
from ..._snapshot.checks.findings import LISTED, judged_for
from ..._snapshot.reader import read_archive
from ..._snapshot.records.visitor import Visitor
from ..._storage.store import manifest_beside
from ..._system.atomic_files import Digest, free_bytes, open_unchanged, read_pieces, require_directory, stamp_of
from ..._system.signals import TimedOut, deadline, uninterrupted
from ..._system.workdir import WorkDir, clear_leftovers
from ..capture import capture
from ..proof import Prover, reader_of
from .assertions import Assertion, Outcome, judged, question_of, unanswered, unasked
from .result import Examined, Progress
from .verdict import (
    AGE,
    DIED,
    INCOMPLETE,
    NOT_PROVEN,
    PROVEN,
    REFUSED,
    RTO,
    Ending,
    Target,
    disproven,
    is_disk_full,
    passed,
    target,
    total,
)

_DYING = 3.0
"""Seconds granted to a server that stopped answering to be gone."""
_PAUSE = 0.5
_DAMAGED = "Don't use this archive; take a new one, or an older one that verifies."


class RehearseRequest(NamedTuple):
    """What is to be rehearsed, and what must hold. ``timeout`` in seconds, for all of it."""

    src: str
    consul_binary: str = "consul"
    assertions: tuple[Assertion, ...] = ()
    max_rto: float | None = None
    max_age: int | None = None
    attempt_anyway: bool = False
    keep_on_failure: bool = False
    timeout: float = 300
    work_dir: str | None = None


class _Ended(Exception):
    """The rehearsal is over before its end."""

    def __init__(self, verdict: str, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.verdict, self.reason, self.hint = verdict, reason, hint


def rehearse(request: RehearseRequest, progress: Progress, *, check: bool) -> Ending:
    """Rehearse, and return how it ended; nothing is left behind but what ``keep_on_failure`` asks for.

    :param progress: is filled in as it goes.
    :param check: verify the archive and look at the binary alone.
    :raises MissingLibraryError: this host lacks a library.
    """
    with contextlib.ExitStack() as stack:
        workdirs: list[WorkDir] = []
        try:
            with deadline(request.timeout):
                verdict, reason, hint = _steps(request, progress, stack, workdirs, check)
        except _Ended as ended:
            verdict, reason, hint = ended.verdict, ended.reason, ended.hint
        except TimedOut:
            verdict = INCOMPLETE
            reason = f"the rehearsal did not complete within {request.timeout:g} s (last phase: {progress.phase})"
            hint = "Raise timeout, or see what slows this host."
        except MissingLibraryError:
            raise
        except SnapshotError as error:
            progress.cause = error
            verdict, reason, hint = INCOMPLETE, f"the rehearsal could not be finished: {error.message}", error.hint
            if workdirs and _is_full(workdirs[0], error.message):
                reason, hint = f"{_FULL}: {error.message}", _ROOM
        ending = progress.ending = Ending(
            verdict,
            reason,
            hint,
            progress.outcomes or (() if check else tuple(unasked(one) for one in request.assertions)),
            _targets(request, progress, verdict),
        )
        if workdirs and request.keep_on_failure and not passed(ending):
            stack.callback(_keep, workdirs[0], progress)
    return ending


def _keep(workdir: WorkDir, progress: Progress) -> None:
    progress.kept_dir = workdir.keep()


def _targets(request: RehearseRequest, progress: Progress, verdict: str | None) -> tuple[Target, ...]:
    found = []
    if request.max_rto is not None and verdict is not None:
        found.append(target(RTO, request.max_rto, total(progress.phases) if verdict == PROVEN else None))
    if request.max_age is not None:
        found.append(target(AGE, request.max_age, progress.age))
    return tuple(found)


def _steps(
    request: RehearseRequest, progress: Progress, stack: contextlib.ExitStack, workdirs: list[WorkDir], check: bool
) -> tuple[str | None, str, str]:
    parent = request.work_dir or tempfile.gettempdir()
    if not check:
        require_directory(parent)
        progress.cleared = clear_leftovers(parent)
    examined = _examine(request, progress)
    progress.phase = "binary"
    binary = progress.binary = find_binary(request.consul_binary)
    _guard(request, progress, examined, binary)
    if check:
        return None, "", ""
    progress.isolation = isolation()
    with uninterrupted():
        workdir = stack.enter_context(WorkDir(parent))
        workdirs.append(workdir)
        server = stack.enter_context(
            Throwaway(binary, workdir, isolation=progress.isolation, datacenter=examined.origin.datacenter)
        )
    try:
        return _in_server(request, progress, examined, server)
    except ServerDied as died:
        raise _of_death(progress, workdir, died) from None
    except TransportError as error:
        # A server that is about to end has not ended yet when its connections break off.
        try:
            server.check_alive(_DYING)
        except ServerDied as died:
            raise _of_death(progress, workdir, died) from None
        raise error
    finally:
        progress.memory = server.memory


def _examine(request: RehearseRequest, progress: Progress) -> Examined:
    stamp = stamp_of(request.src)
    checksum, size = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for piece in read_pieces(request.src, checksum):
            size += len(piece)
            yield piece

    try:
        archive = read_archive(counted())
    except ArchiveError as error:
        progress.cause = error
        raise _Ended(REFUSED, f"the archive does not verify: {error.message}", error.hint or _DAMAGED) from None
    digest = Digest(size, checksum.hexdigest())
    beside = manifest_beside(request.src, digest)
    known = beside.manifest.cluster if beside.manifest else ClusterIdentity(None, None, None)
    manifest = beside.manifest
    confirmed_at = manifest.confirmed_at if manifest and manifest.confirmed_by_leader else None
    progress.examined = Examined(archive, digest, stamp, archive.state.origin.completed(known), confirmed_at)
    progress.findings = list(archive.state.findings)
    return progress.examined


def _guard(request: RehearseRequest, progress: Progress, examined: Examined, binary: Binary) -> None:
    state, origin = examined.archive.state, examined.origin
    progress.findings = judged_for(state.findings, binary.version)
    missing = unrestorable(
        state.type_ids,
        state.config_kinds,
        archive=origin.consul_version,
        target=binary.version,
        enterprise=is_enterprise(binary.version),
    )
    if missing and not request.attempt_anyway:
        raise _Ended(
            REFUSED,
            f"the archive holds records that Consul {binary.version} can't read ({', '.join(missing)}); they would "
            "kill it, and again at each start",
            f"Rehearse it in the version it comes from ({origin.consul_version or 'unknown'}), or a newer one of its "
            "edition; with attempt_anyway: true you see the server's end.",
        )


def _of_death(progress: Progress, workdir: WorkDir, died: ServerDied) -> _Ended:
    progress.cause = died
    told = "; ".join(died.last_words) or "nothing in its log"
    if _is_full(workdir, told):
        return _Ended(INCOMPLETE, f"{_FULL}: {told}", _ROOM)
    if progress.phase == "start":
        hint = "This collection wrote its configuration. Check that this Consul starts at all."
        return _Ended(INCOMPLETE, f"the throwaway server did not start. {died.message}: {told}", hint)
    progress.death = died
    hint = "Don't restore it into this version. If it is the version it comes from, report it to Consul's makers."
    return _Ended(DIED, f"the throwaway server died while it restored the archive. {died.message}: {told}", hint)


def _is_full(workdir: WorkDir, told: str) -> bool:
    # A server can't log what it died of where there is no room for that either.
    return is_disk_full(told) or free_bytes(workdir.path) < _HARDLY_ANY


_FULL = "no space is left for the throwaway server"
_HARDLY_ANY = 1 << 16
_ROOM = "Make room there, or set work_dir to a directory that has some: about four times what the state takes."


def _in_server(
    request: RehearseRequest, progress: Progress, examined: Examined, server: Throwaway
) -> tuple[str, str, str]:
    client = server.client(request.timeout)
    with progress.measured("start"):
        server.start(client)
    refusal = None
    with progress.measured("restore"), open_unchanged(request.src, examined.stamp, examined.digest) as archive:
        try:
            client.restore(archive, examined.digest.size, datacenter=None)
        except ApiError as error:
            if is_disk_full(error.message):
                raise
            # It may have been restored all the same: the proof tells.
            refusal = progress.cause = error
    with progress.measured("ready"):
        server.await_leader(client)
    # Asked before the proof: what belongs to agents is gone from the catalog within a minute.
    progress.phase = "assertions"
    progress.outcomes = tuple(_asked(client, server, one) for one in request.assertions)
    with progress.measured("proof"):
        fingerprint = examined.archive.state.fingerprint
        reference = Reference(fingerprint, reader_of(request.src, fingerprint), progress.across)
        look = Prover(reference).prove(
            client,
            pause=lambda: server.check_alive(_PAUSE),
            is_hopeless=lambda error: is_disk_full(error.message),  # a disk that is full stays full
        )
        lost = {"lost": [asdict(loss) for loss in look.losses]} if look.losses else {}
        progress.proof = {**look.proof, **lost}
    if progress.across:
        progress.phase = "changes"
        progress.changes = _changes(client, request.src, progress.proof)
    if progress.proof["equal"]:
        progress.cause = None
        return PROVEN, "", ""
    if refusal is not None:
        return NOT_PROVEN, f"the throwaway server did not restore the archive: {refusal.message}", refusal.hint
    version = progress.binary.version if progress.binary else None
    reason, hint = disproven(progress.proof["differs"], look.losses, version)
    return NOT_PROVEN, reason, hint


def _asked(client: Client, server: Throwaway, assertion: Assertion) -> Outcome:
    question = question_of(assertion)
    try:
        return judged(assertion, client.ask(question.path, params=question.params))
    except ApiError as error:
        return unanswered(assertion, error.kind, error.message)


def _changes(client: Client, src: str, proof: dict[str, Any]) -> dict[str, Any]:
    """Return, by type, what a server of another version made of the archive's records; names, never values."""

    def read_archive_again(visitor: Visitor) -> None:
        read_archive(read_pieces(src), visitor=visitor)

    def read_server(visitor: Visitor) -> None:
        capture(client, None, visitor=visitor)

    _server, by_type = changes(read_archive_again, read_server, Selection(), limit=LISTED)
    return {
        name: {**asdict(change), "equal": name not in proof["differs"]}
        for name, change in by_type.items()
        if not change.equal
    }
