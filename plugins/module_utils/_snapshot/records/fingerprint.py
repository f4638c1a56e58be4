# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint: one digest per record type that is equal for equal content, whatever the order or raft index.

Per record: the first 128 bits of SHA-256 over its content. Per type: the sum of these modulo 2**128, and their number.
A sum does not care for order and takes the same memory for one record or a billion. SHA-256 because every Python has
it in hardware speed, machines in FIPS mode included.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._errors import SnapshotError

VERSION = "v2"
"""Changes with what counts as content (see ``canonical``). v1 counted the hashes that Consul derives from records."""
_MODULUS = 1 << 128
_HALF = 1 << 64


@dataclass(frozen=True)
class TypeDigest:
    """What the durable records of one type amount to: how many, and the sum of their digests."""

    count: int
    digest: int


def record_digest(content: bytes) -> bytes:
    """Return the 32 bytes of which the first 16 are the record's digest."""
    return hashlib.sha256(content).digest()


def sum_digests(digests: list[bytes]) -> int:
    """Return the sum of what ``record_digest`` returned for each record, before any modulus."""
    # As four columns of 64 bits each: C adds them up, where a loop over big integers would cost more than the hashing.
    words = struct.unpack(f">{4 * len(digests)}Q", b"".join(digests))
    return (sum(words[0::4]) * _HALF) + sum(words[1::4])


class DigestSum:
    """A sum under way for one type."""

    __slots__ = ("count", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0

    def add(self, digests: list[bytes]) -> None:
        """Take in the digests of some records."""
        self.count += len(digests)
        self.total = (self.total + sum_digests(digests)) % _MODULUS

    def merge(self, other: DigestSum) -> None:
        """Take in another sum."""
        self.count += other.count
        self.total = (self.total + other.total) % _MODULUS

    def result(self) -> TypeDigest:
        """Return the sum as a value."""
        return TypeDigest(self.count, self.total)


class Fingerprint:
    """The digests of a state's durable content, by type name. Types that hold nothing durable are left out."""

    def __init__(self, types: Mapping[str, TypeDigest], version: str = VERSION) -> None:
        self.version = version
        self.types = {name: digest for name, digest in sorted(types.items()) if digest.count}

    @property
    def overall(self) -> str:
        """One line for the whole durable content: ``v2:<32 hex digits>``."""
        lines = "".join(f"{name} {digest.count} {digest.digest:032x}\n" for name, digest in self.types.items())
        return f"{self.version}:{hashlib.sha256(lines.encode()).hexdigest()[:32]}"

    @property
    def counts(self) -> dict[str, int]:
        """The number of durable records by type."""
        return {name: digest.count for name, digest in self.types.items()}

    @property
    def described(self) -> dict[str, Any]:
        """The digest as one line and the counts, as a module's ``diff`` shows them."""
        return {"fingerprint": self.overall, "records": self.counts}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and (self.version, self.types) == (other.version, other.types)

    __hash__ = None  # type: ignore[assignment]  # a value that is compared, never a key

    def as_json(self) -> dict[str, Any]:
        """Return ``{overall, types: {name: {count, digest}}}``, as a manifest keeps it."""
        types = {name: {"count": one.count, "digest": f"{one.digest:032x}"} for name, one in self.types.items()}
        return {"overall": self.overall, "types": types}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Fingerprint | None:
        """Return the fingerprint a manifest keeps; None when it is of another version, which equals nothing of ours.

        :raises SnapshotError: the document was not written by this collection, or contradicts itself.
        """
        try:
            overall = str(document["overall"])
            version = overall.partition(":")[0]
            if version != VERSION:
                return None
            types = {
                str(name): TypeDigest(int(one["count"]), int(one["digest"], 16))
                for name, one in document["types"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise SnapshotError("the fingerprint can't be read", hint="") from error
        found = cls(types, version)
        if found.overall != overall:
            raise SnapshotError("the fingerprint contradicts its own parts", hint="")
        return found


def differing_types(one: Fingerprint, other: Fingerprint) -> list[str]:
    """Return the names of the types whose content is not the same in both, sorted.

    Fingerprints of two versions differ in every type that either of them knows.
    """
    names: Iterable[str] = {*one.types, *other.types}
    if one.version != other.version:
        return sorted(names)
    return sorted(name for name in names if one.types.get(name) != other.types.get(name))
