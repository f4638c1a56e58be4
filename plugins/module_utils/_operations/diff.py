# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two archives, or an archive and the live cluster, compared: manifests first, then records.

The two sides are read at once, each by one process, where the machine has more than one processor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Union

from .._compare.record_diff import RecordCollector, Selection, TypeChange, compare_records
from .._compare.record_rows import Chunk, Rows
from .._consul.client import Client
from .._consul.retry import with_retries
from .._errors import ArchiveError, FileError, SnapshotError
from .._model.identity import ClusterIdentity
from .._model.record_types import is_durable
from .._snapshot.reader import Archive
from .._snapshot.records.fingerprint import Fingerprint, differing_types
from .._snapshot.records.stream import require_msgpack
from .._snapshot.records.visitor import Visitor
from .._storage.archive_file import ArchiveFile, read_archive_file, stored_digest
from .._storage.archive_source import NO_SEALING, NO_STORE, ArchiveSource, source_of
from .._storage.manifest import Manifest
from .._storage.manifest_file import MATCHES, ManifestMatch
from .._storage.settings import SealingSettings, StoreSettings
from .._storage.trust import look_beside
from .._system.atomic_files import Digest
from .._system.child_task import in_child
from .capture import capture
from .storing import of_storing, storing_of


class DiffRequest(NamedTuple):
    """What is to be compared; ``after`` is None for the live cluster. ``limit``: names to list of each type at most."""

    before: str
    after: str | None
    datacenter: str | None
    selection: Selection
    limit: int
    store: StoreSettings = NO_STORE
    sealing: SealingSettings = NO_SEALING

    def source(self, option: str) -> ArchiveSource:
        """Return the archive that an option names.

        :raises OptionError: it names none.
        """
        return source_of(getattr(self, option), option, self.store, self.sealing)


@dataclass(frozen=True)
class Side:
    """One of the two: ``path`` is None for the live cluster. ``storing``: see ``of_storing``; empty for that, too."""

    path: str | None
    index: int
    cluster: ClusterIdentity
    taken_at: float | None
    fingerprint: Fingerprint
    storing: dict[str, Any] = field(default_factory=dict)


class DiffResult(NamedTuple):
    """How it ended. ``quick``: the manifests' fingerprints were enough, no record was read."""

    before: Side
    after: Side
    types: dict[str, TypeChange]
    quick: bool

    @property
    def equal(self) -> bool:
        """Whether nothing that was compared differs."""
        return all(change.equal for change in self.types.values())


def compare(request: DiffRequest, connect: Callable[[], Client], report: Callable[[SnapshotError], None]) -> DiffResult:
    """Compare: both sides are read at once where there is a second processor, the older one in a child process.

    :param connect: returns a client; called only when the live cluster is asked.
    :param report: gets the error of each try that is followed by another.
    :raises SnapshotError: of any kind.
    """
    before = _File("before", request.source("before"))
    if request.after is None:
        return _with_cluster(request, before, connect(), report)
    return _with_archive(request, before, _File("after", request.source("after")))


def _with_archive(request: DiffRequest, before: _File, after: _File) -> DiffResult:
    selection, equal = _left_to_read(before, after, request.selection)
    if before.known and after.known and selection.types == frozenset():
        return DiffResult(before.known, after.known, _unchanged(equal), True)
    require_msgpack()
    with in_child(before.reading(selection)) as older:
        newer = list(after.reading(selection)())
        # What is wrong with the older one is said first.
        older_side, older_rows = _received(older)
    newer_side, newer_rows = _received(iter(newer))
    named = request.selection.types or ()
    changes = compare_records(older_rows, newer_rows, limit=request.limit, types=named)
    return DiffResult(older_side, newer_side, dict(sorted({**_unchanged(equal), **changes}.items())), False)


def _with_cluster(
    request: DiffRequest, before: _File, client: Client, report: Callable[[SnapshotError], None]
) -> DiffResult:
    def attempt() -> _Read:
        collector = RecordCollector(request.selection)
        captured = capture(client, None, datacenter=request.datacenter, visitor=collector)
        return _Read(_side(None, captured.archive), collector.complete())

    connection = client.connection
    require_msgpack()
    with in_child(before.reading(request.selection)) as older:
        newer = with_retries(attempt, retries=connection.retries, delay=connection.retry_delay, report=report)
        older_side, older_rows = _received(older)
    types = compare_records(older_rows, newer.rows, limit=request.limit, types=request.selection.types or ())
    return DiffResult(older_side, newer.side, types, False)


_Part = Union[Side, SnapshotError, tuple[int, Chunk]]


class _Read(NamedTuple):
    """What was read of one side."""

    side: Side
    rows: dict[int, Rows]


def _received(parts: Iterator[_Part]) -> _Read:
    """Put together what ``_File.reading`` yields.

    :raises SnapshotError: the archive could not be read.
    """
    side: Side | None = None
    rows: dict[int, Rows] = {}
    for part in parts:
        if isinstance(part, SnapshotError):
            raise part
        if isinstance(part, Side):
            side = part
        else:
            type_id, chunk = part
            rows.setdefault(type_id, Rows()).chunks.append(chunk)
    if side is None:
        raise ValueError("the side that was read is missing")
    return _Read(side, rows)


def _left_to_read(before: _File, after: _File, selection: Selection) -> tuple[Selection, frozenset[str]]:
    """Return the selection without the types that trusted manifests show to be equal, and the names of these.

    Fingerprints are of durable content, so they say nothing of types or records that Consul moves by itself.
    """
    one, other = before.manifest_fingerprint, after.manifest_fingerprint
    if one is None or other is None or selection.volatile:
        return selection, frozenset()
    differing = frozenset(differing_types(one, other))
    if selection.types is None:
        return selection._replace(types=differing), frozenset({*one.types, *other.types}) - differing
    unread = frozenset(name for name in selection.types if is_durable(name)) - differing
    return selection._replace(types=selection.types - unread), unread


def _unchanged(types: frozenset[str]) -> dict[str, TypeChange]:
    return {name: TypeChange() for name in sorted(types)}


class _File:
    """An archive, whose bytes must stay the same however often they are read."""

    def __init__(self, option: str, source: ArchiveSource) -> None:
        self._option, self._source = option, source
        beside = look_beside(source)
        self._signature = beside.signature
        self._stored: Digest | None = None
        self._manifest: Manifest | None = None
        # Without a manifest that may be trusted, one reading gives digest and records.
        if beside.is_trusted and beside.manifest is not None:
            self._stored = stored_digest(source)
            self._manifest = beside.manifest if beside.manifest.stored == self._stored else None

    @property
    def manifest_fingerprint(self) -> Fingerprint | None:
        """What the manifest beside it knows, if it is this archive's and may be trusted."""
        return self._manifest.fingerprint if self._manifest else None

    @property
    def known(self) -> Side | None:
        """What its manifest tells without a look at its records; None where that is not enough."""
        manifest = self._manifest
        if manifest is None or manifest.fingerprint is None:
            return None
        return Side(
            self._source.shown,
            manifest.index,
            manifest.cluster,
            manifest.taken_at,
            manifest.fingerprint,
            storing_of(self._source, ManifestMatch(MATCHES, manifest), self._signature),
        )

    def reading(self, selection: Selection) -> Callable[[], Iterator[_Part]]:
        """Return what reads the records that are selected, and yields the outcome in parts that pass between processes.

        The first one is the side, or the failure: an ArchiveError when the archive does not verify, a FileError when it
        can't be read, or was changed meanwhile.
        """

        def read() -> Iterator[_Part]:
            collector = RecordCollector(selection)
            try:
                file = self._read(collector)
            except SnapshotError as error:
                yield error
                return
            yield _side(self._source.shown, file.records, file.manifest, of_storing(file))
            for type_id, rows in collector.complete().items():
                yield from ((type_id, chunk) for chunk in rows.chunks)

        return read

    def _read(self, visitor: Visitor) -> ArchiveFile:
        source = self._source.again()
        try:
            file = read_archive_file(source, visitor=visitor)
        except ArchiveError as error:
            raise ArchiveError(
                f"{self._option}: {source.shown} does not verify: {error.message}",
                fault=error.fault,
                hint=error.hint,
                retryable=False,
                path=source.shown,
            ) from error
        if self._stored not in (None, file.stored):
            raise FileError(
                f"{self._option}: {source.shown} was changed while it was read",
                hint="Compare files that nobody writes to.",
                path=source.shown,
            )
        return file


def _side(
    path: str | None, archive: Archive, manifest: Manifest | None = None, storing: dict[str, Any] | None = None
) -> Side:
    origin = archive.state.origin
    cluster = manifest.cluster.completed(origin) if manifest else origin
    return Side(path, archive.meta.index, cluster, archive.meta.taken_at, archive.state.fingerprint, storing or {})
