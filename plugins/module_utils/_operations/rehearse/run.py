# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsing a restore: verify, guard, start a throwaway server, restore, wait, ask, prove, clean up."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from ..._compare.equivalence import Comparison, Reference
from ..._compare.record_diff import RecordCollector, Selection, compare_records
from ..._consul.client import Client
from ..._errors import ApiError, MissingLibraryError, SnapshotError, TransportError
from ..._model.identity import ClusterIdentity
from ..._sandbox.binary import Binary, find_binary
from ..._sandbox.process import isolation
from ..._sandbox.server import Throwaway
from ..._snapshot.checks.findings import LISTED
from ..._snapshot.reader import read_archive
from ..._storage.archive_file import read_archive_file
from ..._storage.archive_source import NO_SEALING, NO_STORE, ArchiveSource, source_of
from ..._storage.local_copy import copy_in, room_for
from ..._storage.settings import SealingSettings, StoreSettings
from ..._storage.trust import fault_of
from ..._system.atomic_files import free_bytes, require_directory
from ..._system.scratch_file import ScratchFile
from ..._system.signals import TimedOut, deadline, uninterrupted
from ..._system.workdir import WorkDir, clear_leftovers
from ..capture import capture
from ..journal import Journal
from ..proof import Prover, reader_of
from .assertions import Assertion, Outcome, judged, question_of, unanswered, unasked
from .result import Ending, Examined, age_of
from .verdict import (
    AGE,
    PHASES,
    PROOF,
    PROVEN,
    READY,
    RESTORE,
    RTO,
    START,
    VERIFY,
    Conclusion,
    broken_off,
    is_disk_full,
    of_proof,
    passed,
    target,
    timed_out,
    total,
    unloadable,
    unsigned,
)

_DYING = 3.0
"""Seconds within which a server that stopped answering has to end, to be counted as dead."""
_PAUSE = 0.5


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
    store: StoreSettings = NO_STORE
    sealing: SealingSettings = NO_SEALING

    @property
    def parent(self) -> str:
        """The directory in which the server's own one is made."""
        return self.work_dir or tempfile.gettempdir()


class Rehearsal:
    """One rehearsal. ``reached`` is how far it has come: a value, and a new one at each step.

    ``run`` returns it. What breaks a run off, such as a signal, leaves it as it was.
    """

    def __init__(self, journal: Journal) -> None:
        """:param journal: is given the phases' durations."""
        self._journal = journal
        self.reached = Ending()

    def run(self, request: RehearseRequest, *, check: bool) -> Ending:
        """Rehearse, and return how it ended. Nothing is left behind but what ``keep_on_failure`` asks for.

        :param check: only verify the archive and look at the binary.
        :raises MissingLibraryError: this host lacks a library.
        :raises FileError: the server's directory can't be removed, or kept.
        """
        workdir: WorkDir | None = None
        with contextlib.ExitStack() as stack:
            try:
                with deadline(request.timeout):
                    if not check:
                        self._clear_leftovers(request.parent)
                    examined = self._verify(request, stack, check=check)
                    binary = self._find(request.consul_binary)
                    conclusion = None if request.attempt_anyway else _guard(examined, binary)
                    if conclusion is None and check:
                        conclusion = Conclusion(None)
                    if conclusion is None:
                        self._note(isolation=isolation())
                        with uninterrupted():
                            workdir = stack.enter_context(WorkDir(request.parent))
                            server = stack.enter_context(self._server(binary, workdir, examined))
                        conclusion = self._try(server, request, examined, binary)
            except TimedOut:
                conclusion = timed_out(request.timeout, self.reached.phase, self.reached.refusal)
            except MissingLibraryError:
                raise
            except SnapshotError as error:
                conclusion = broken_off(error, self.reached.phase, free_bytes(workdir.path) if workdir else None)
            self._note(conclusion=_judged(conclusion, request, self.reached, check=check))
            if workdir and request.keep_on_failure and not passed(self.reached.conclusion):
                self._note(kept_dir=workdir.keep())
        return self.reached

    def _note(self, **seen: Any) -> None:
        self.reached = replace(self.reached, **seen)

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self._note(phase=name)
        with self._journal.phase(name):
            yield
        if name in PHASES:
            self._note(rto={**self.reached.rto, name: self._journal.duration[name]})

    def _clear_leftovers(self, parent: str) -> None:
        require_directory(parent)
        self._note(cleared=tuple(clear_leftovers(parent)))

    def _verify(self, request: RehearseRequest, stack: contextlib.ExitStack, *, check: bool) -> Examined:
        with self._phase(VERIFY):
            source = source_of(request.src, "src", request.store, request.sealing)
            room = room_for(source, request.parent)
            self._note(room=room)
            copy = stack.enter_context(copy_in(room, "work_dir", check=check))
            examined = _examine(source, copy)
        self._note(examined=examined)
        return examined

    def _find(self, name: str) -> Binary:
        with self._phase("binary"):
            binary = find_binary(name)
        self._note(binary=binary)
        return binary

    def _server(self, binary: Binary, workdir: WorkDir, examined: Examined) -> Throwaway:
        network = self.reached.isolation or ""
        return Throwaway(binary, workdir, isolation=network, datacenter=examined.origin.datacenter)

    def _try(self, server: Throwaway, request: RehearseRequest, examined: Examined, binary: Binary) -> Conclusion:
        try:
            return self._restore_into(server, request, examined, binary)
        except TransportError as error:
            # A server that is about to end has not ended yet when its connections break off.
            server.check_alive(_DYING)
            raise error
        finally:
            self._note(memory=server.memory)

    def _restore_into(
        self, server: Throwaway, request: RehearseRequest, examined: Examined, binary: Binary
    ) -> Conclusion:
        client, fingerprint, plain = server.client(request.timeout), examined.archive.state.fingerprint, examined.plain
        with self._phase(START):
            server.start(client)
        with self._phase(RESTORE):
            self._note(refusal=_send(client, examined))
        with self._phase(READY):
            server.await_leader(client)
        # Asked before the proof: what belongs to agents is gone from the catalog within a minute.
        with self._phase("assertions"):
            self._note(outcomes=tuple(_ask(client, assertion) for assertion in request.assertions))
        with self._phase(PROOF):
            reference = Reference(fingerprint, reader_of(plain, fingerprint), self.reached.is_across)
            look = _prove(client, server, Prover(reference))
        lost = {"lost": [asdict(loss) for loss in look.losses]} if look.losses else {}
        self._note(proof={**look.proof, **lost})
        if self.reached.is_across:
            with self._phase("changes"):
                self._note(changes=_changes(client, plain, look.proof["differs"]))
        return of_proof(look.proof, look.losses, refusal=self.reached.refusal, version=binary.version)


def _examine(source: ArchiveSource, copy: ScratchFile | None) -> Examined:
    file = read_archive_file(source, copy=copy)
    archive, manifest = file.records, file.confirmed_manifest()
    known = manifest.cluster if manifest else ClusterIdentity(None, None, None)
    confirmed_at = manifest.confirmed_at if manifest and manifest.confirmed_by_leader else None
    fault = fault_of(file.match, file.signature) if source.sealing.allowed_signers else None
    age = age_of(archive.meta.taken_at, confirmed_at, time.time())
    return Examined(archive, file.digest, file.seen, archive.state.origin.completed(known), age, fault, file)


def _guard(examined: Examined, binary: Binary) -> Conclusion | None:
    state, origin = examined.archive.state, examined.origin
    if examined.signature_fault is not None:
        return unsigned(examined.signature_fault)
    return unloadable(state.type_ids, state.config_kinds, archive_version=origin.consul_version, version=binary.version)


def _judged(conclusion: Conclusion, request: RehearseRequest, reached: Ending, *, check: bool) -> Conclusion:
    """Return what the rehearsal came to, with what was asked for beside."""
    targets = []
    if request.max_rto is not None and conclusion.verdict is not None:
        targets.append(target(RTO, request.max_rto, total(reached.rto) if conclusion.verdict == PROVEN else None))
    if request.max_age is not None:
        targets.append(target(AGE, request.max_age, reached.examined.age if reached.examined else None))
    never = () if check else tuple(unasked(assertion) for assertion in request.assertions)
    return conclusion._replace(assertions=reached.outcomes or never, targets=tuple(targets))


def _send(client: Client, examined: Examined) -> ApiError | None:
    """Restore the archive, and return the server's answer where it was an error.

    It may have been restored all the same: the proof tells.
    """
    with examined.open() as archive:
        try:
            client.restore(archive, examined.digest.size, datacenter=None)
        except ApiError as error:
            if is_disk_full(error.message):
                raise
            return error
    return None


def _ask(client: Client, assertion: Assertion) -> Outcome:
    question = question_of(assertion)
    try:
        return judged(assertion, client.ask(question.path, params=question.params))
    except ApiError as error:
        return unanswered(assertion, error.kind, error.message)


def _prove(client: Client, server: Throwaway, prover: Prover) -> Comparison:
    return prover.prove(
        client,
        pause=lambda: server.check_alive(_PAUSE),
        is_hopeless=lambda error: is_disk_full(error.message),  # a disk that is full stays full
    )


def _changes(client: Client, plain: Callable[[], Iterator[bytes]], differs: list[str]) -> dict[str, Any]:
    """Return, by type, what a server of another version made of the archive's records; names, never values."""
    older, newer = RecordCollector(Selection()), RecordCollector(Selection())
    read_archive(plain(), visitor=older)
    capture(client, None, visitor=newer)
    return {
        name: {**asdict(change), "equal": name not in differs}
        for name, change in compare_records(older.complete(), newer.complete(), limit=LISTED).items()
        if not change.equal
    }
