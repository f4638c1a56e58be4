# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between two states, record by record and by name, in little memory (pure).

Each state is read once, by itself, in any process: of each record 16 bytes of a digest of its content are kept, and its
name, compressed. Equal content has an equal name, so the rows of both states that have no partner are all that differs;
these alone are matched by name. Nothing is written to disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .._model.record_types import RecordType, kind_of
from .._snapshot.records.canonical import VOLATILE, Content
from .._snapshot.records.fingerprint import record_digest
from .._snapshot.records.record_names import FirstLabels, name_of
from .._snapshot.records.visitor import Visitor
from .record_rows import RowName, Rows, named, nameless, without_partner


class Selection(NamedTuple):
    """What is compared. ``types``: names of record types, None for all. ``prefix``: of keys, those that begin so."""

    types: frozenset[str] | None = None
    prefix: bytes = b""
    volatile: bool = False

    def wants_type(self, type_id: int) -> bool:
        """Whether records of a type are compared; volatile types only where they are asked for."""
        kind = kind_of(type_id)
        return kind.name in self.types if self.types is not None else kind.durable or self.volatile

    def wants_origin(self, type_id: int, origin: str) -> bool:
        """Whether a record is compared that comes from there: of durable types, what Consul moves is left out."""
        return self.volatile or origin != VOLATILE or not kind_of(type_id).durable


@dataclass(frozen=True)
class TypeChange:
    """How many records of a type were added, removed and changed, and the names of the first ones of each."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    names: dict[str, list[str]] = field(default_factory=lambda: {"added": [], "removed": [], "changed": []})

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed)

    @property
    def truncated(self) -> bool:
        """Whether there are more names than are listed."""
        return self.added + self.removed + self.changed > sum(len(names) for names in self.names.values())


class RecordCollector(Visitor):
    """Reads one of two states: collects the rows of the records that are selected, by type."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._node: list[tuple[bytes, RowName]] = []
        self._nameless: dict[int, int] = {}
        self.rows: dict[int, Rows] = {}
        self.wants_keys = selection.wants_type(RecordType.KVS)

    def record(self, type_id: int, content: Content) -> None:
        if not self._selection.wants_type(type_id):
            return
        digest = record_digest(content.digestible)
        name = self._name(type_id, content, digest)
        if name is None:
            return
        if type_id == RecordType.REGISTER and content.fields is not None:
            # Whose it is shows at the end of its node.
            self._node.append((digest, name))
        elif self._selection.wants_origin(type_id, content.origin):
            self._rows_of(type_id).add(digest, name)

    def keys(self, keys: list[tuple[bytes, int]], digests: list[bytes]) -> None:
        # By far the most records come this way, so they are taken in as they come: many at once.
        names, prefix = [key for key, _size in keys], self._selection.prefix
        if prefix:
            chosen = [number for number, name in enumerate(names) if name.startswith(prefix)]
            names, digests = [names[number] for number in chosen], [digests[number] for number in chosen]
        if names:
            self._rows_of(RecordType.KVS).add_keys(names, digests)

    def node_ends(self, agents: bool) -> None:
        node, self._node = self._node, []
        if self._selection.volatile or not agents:
            for digest, name in node:
                self._rows_of(RecordType.REGISTER).add(digest, name)

    def complete(self) -> dict[int, Rows]:
        """Return the rows by type, once the state was read."""
        for rows in self.rows.values():
            rows.complete()
        return self.rows

    def _name(self, type_id: int, content: Content, digest: bytes) -> RowName | None:
        """Return what a record goes by; None when the selection leaves it out by its name."""
        name = name_of(type_id, content.fields) if content.fields is not None else None
        if name is None:
            number = self._nameless[type_id] = self._nameless.get(type_id, 0) + 1
            return nameless(digest, f"#{number} of {kind_of(type_id).name}".encode())
        is_key = type_id in (RecordType.KVS, RecordType.TOMBSTONE)
        if is_key and not name.label.startswith(self._selection.prefix):
            return None
        return named(name.identity, name.label)

    def _rows_of(self, type_id: int) -> Rows:
        return self.rows.setdefault(int(type_id), Rows())


def compare_records(
    before: Mapping[int, Rows], after: Mapping[int, Rows], *, limit: int, types: Iterable[str] = ()
) -> dict[str, TypeChange]:
    """Return the changes of every type that either state has, or that ``types`` names; by name of the type, sorted.

    :param before: the rows of the older state, by type. :param after: those of the newer one.
    :param limit: names to list at most of each type for each of added, removed and changed.
    """
    changes = dict.fromkeys(types, TypeChange())
    for type_id in {*before, *after}:
        changes[kind_of(type_id).name] = _change(before.get(type_id, Rows()), after.get(type_id, Rows()), limit)
    return dict(sorted(changes.items()))


def _change(before: Rows, after: Rows, limit: int) -> TypeChange:
    gone, come = without_partner(before.digests, after.digests)
    # Of what differs, what has its name on both sides was changed.
    removed, added = without_partner(_name_digests(before, gone), _name_digests(after, come))
    changed = set(range(len(come))).difference(added)
    return TypeChange(
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        names={
            "added": _first_labels(after, [come[number] for number in added], limit),
            "removed": _first_labels(before, [gone[number] for number in removed], limit),
            "changed": _first_labels(after, [come[number] for number in sorted(changed)], limit),
        },
    )


def _name_digests(rows: Rows, positions: list[int]) -> bytes:
    return b"".join(name.digest for name in rows.names(positions))


def _first_labels(rows: Rows, positions: list[int], limit: int) -> list[str]:
    labels = FirstLabels(limit)
    for name in rows.names(positions) if limit else ():
        labels.add(name.label)
    return labels.result()
