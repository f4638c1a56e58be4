# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between two states, record by record and by name, in little memory (pure).

The one state is learned: 16 bytes of a digest of each record's name and 16 of its content's. The other is compared
while it streams by, its names at hand for what was added or changed. Names of what was removed are still unknown then,
so the first state is read once more for them. No name is kept beyond those that are listed, and nothing is written to
disk.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from .._model.record_types import RecordType, kind_of
from .._snapshot.records.canonical import VOLATILE, Content
from .._snapshot.records.fingerprint import record_digest
from .._snapshot.records.record_names import FirstLabels, name_of
from .._snapshot.records.visitor import Visitor

# The members under names of their own: the enumeration is slow to ask, and there are many records.
_KVS = RecordType.KVS
_REGISTER = RecordType.REGISTER
_TOMBSTONE = RecordType.TOMBSTONE

EQUAL, CHANGED, ABSENT = "equal", "changed", "absent"

_WIDTH = 16
_ENTRY = 2 * _WIDTH
_GONE = bytes(_WIDTH)
_NAMED, _NAMELESS = b"\1", b"\0"
_KEY = bytes((_KVS,)) + _NAMED


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


class Contents:
    """A multiset of name digests, each with a content digest: 32 bytes a record, in buckets that are searched in C."""

    def __init__(self) -> None:
        self._buckets: dict[int, bytearray] = defaultdict(bytearray)
        self._begins: dict[int, int] = {}
        """Where the first entry of a bucket is that was not taken, so that many equal ones cost no more."""

    def add(self, name: bytes, content: bytes) -> None:
        """Take in a record."""
        self._buckets[(name[0] << 4) | (name[1] >> 4)] += name + content

    def take(self, name: bytes, content: bytes) -> str:
        """Take out a record of this name, of this content if there is one, and return EQUAL, CHANGED or ABSENT."""
        if self._take(name, name + content):
            return EQUAL
        return CHANGED if self._take(name, name) else ABSENT

    def take_equal(self, name: bytes, content: bytes) -> bool:
        """Take out a record of this name and content and return whether there was one."""
        return self._take(name, name + content)

    def _take(self, name: bytes, wanted: bytes) -> bool:
        number = (name[0] << 4) | (name[1] >> 4)
        bucket, begin = self._buckets.get(number), self._begins.get(number, 0)
        if bucket is None:
            return False
        at = bucket.find(wanted, begin)
        # What is found across two entries is none.
        while at > 0 and at % _ENTRY:
            at = bucket.find(wanted, at + 1)
        if at < 0:
            return False
        bucket[at : at + _WIDTH] = _GONE
        if at == begin:
            while bucket[begin : begin + _WIDTH] == _GONE:
                begin += _ENTRY
            self._begins[number] = begin
        return True


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


class _Reader(Visitor):
    """Names the records that are selected, once it is known whose they are, and hands each to ``_take``."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._node: list[tuple[int, bytes, bytes, bytes]] = []
        self._nameless: dict[int, int] = {}
        self.wants_keys = selection.wants_type(_KVS)

    def record(self, type_id: int, content: Content) -> None:
        if not self._selection.wants_type(type_id):
            return
        name = name_of(type_id, content.fields) if content.fields is not None else None
        digest = record_digest(content.digestible)[:_WIDTH]
        if name is None:
            number = self._nameless[type_id] = self._nameless.get(type_id, 0) + 1
            identity, label = _NAMELESS + digest, f"#{number} of {kind_of(type_id).name}".encode()
        else:
            identity, label = _NAMED + name.identity, name.label
            if type_id in (_KVS, _TOMBSTONE) and not label.startswith(self._selection.prefix):
                return
        row = (type_id, _digest(type_id, identity), digest, label)
        if type_id == _REGISTER and content.fields is not None:
            self._node.append(row)
        elif self._selection.wants_origin(type_id, content.origin):
            self._take(*row)

    def keys(self, keys: list[tuple[bytes, int]], digests: list[bytes]) -> None:
        # By far the most records come this way, so each step here is felt.
        prefix, take, sha256 = self._selection.prefix, self._take, hashlib.sha256
        for (key, _size), digest in zip(keys, digests):
            if not prefix or key.startswith(prefix):
                take(_KVS, sha256(_KEY + key).digest()[:_WIDTH], digest[:_WIDTH], key)

    def node_ends(self, agents: bool) -> None:
        rows, self._node = self._node, []
        if self._selection.volatile or not agents:
            for row in rows:
                self._take(*row)

    def _take(self, type_id: int, name: bytes, content: bytes, label: bytes) -> None:
        raise NotImplementedError


class BaselineVisitor(_Reader):
    """Reads the first of two states."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection)
        self.selection = selection
        self.contents = Contents()
        self.counts: dict[int, int] = {}

    def _take(self, type_id: int, name: bytes, content: bytes, label: bytes) -> None:
        self.contents.add(name, content)
        self.counts[type_id] = self.counts.get(type_id, 0) + 1


class Comparer(_Reader):
    """Reads the second of two states and tells it from what was learned of the first, which is used up by that."""

    def __init__(self, learned: BaselineVisitor, limit: int) -> None:
        super().__init__(learned.selection)
        self._learned = learned
        self._limit = limit
        self._matched: dict[int, int] = {}
        self._added: dict[int, FirstLabels] = {}
        self._changed: dict[int, FirstLabels] = {}

    def _take(self, type_id: int, name: bytes, content: bytes, label: bytes) -> None:
        outcome = self._learned.contents.take(name, content)
        if outcome == ABSENT:
            _of(self._added, type_id, self._limit).add(label)
            return
        self._matched[type_id] = self._matched.get(type_id, 0) + 1
        if outcome == CHANGED:
            _of(self._changed, type_id, self._limit).add(label)

    @property
    def removed(self) -> dict[int, int]:
        """How many records of each type the first state has and the second one hasn't."""
        counts = {type_id: n - self._matched.get(type_id, 0) for type_id, n in self._learned.counts.items()}
        return {type_id: count for type_id, count in counts.items() if count}

    def result(self, removed: Resolver | None, types: Iterable[str]) -> dict[str, TypeChange]:
        """Return the changes of every type that either state has, or that ``types`` names.

        :param removed: has read the first state again; None when no names of removed records are wanted.
        """
        found = dict.fromkeys(types, TypeChange())
        labels = (self._added, removed.labels if removed else {}, self._changed)
        for type_id in {*self._learned.counts, *self._matched, *self._added}:
            added, gone, changed = (one.get(type_id) or FirstLabels(0) for one in labels)
            names = {"added": added.result(), "removed": gone.result(), "changed": changed.result()}
            count = self.removed.get(type_id, 0)
            found[kind_of(type_id).name] = TypeChange(added.count, count, changed.count, names)
        return dict(sorted(found.items()))


class Resolver(_Reader):
    """Reads the first state once more, for the names of what the second one has not."""

    def __init__(self, learned: BaselineVisitor, removed: Iterable[int], limit: int) -> None:
        super().__init__(learned.selection._replace(types=frozenset(kind_of(one).name for one in removed)))
        self._contents = learned.contents
        self._limit = limit
        self.labels: dict[int, FirstLabels] = {}

    def _take(self, type_id: int, name: bytes, content: bytes, label: bytes) -> None:
        if self._contents.take_equal(name, content):
            _of(self.labels, type_id, self._limit).add(label)


def _of(labels: dict[int, FirstLabels], type_id: int, limit: int) -> FirstLabels:
    if type_id not in labels:
        labels[type_id] = FirstLabels(limit)
    return labels[type_id]


def _digest(type_id: int, identity: bytes) -> bytes:
    return hashlib.sha256(bytes((type_id,)) + identity).digest()[:_WIDTH]
