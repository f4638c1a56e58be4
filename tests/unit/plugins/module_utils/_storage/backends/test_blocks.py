# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes in blocks on the way in, and in ranges on the way out."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.blocks import (
    PIECE,
    BlockBuffer,
    ReadCheck,
    ranged,
    read_check,
)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 7, 100])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 8, 9, 23])
def test_blocks_are_full_but_for_the_last(size: int, step: int) -> None:
    data = bytes(range(size))
    buffer = BlockBuffer(4)
    blocks = [block for at in range(0, size, step) for block in buffer.add(data[at : at + step])]
    rest = buffer.rest()
    assert b"".join(blocks) + rest == data
    assert {len(block) for block in blocks} <= {4}
    # Something is held back for the request that ends the object, unless there is nothing at all.
    assert bool(rest) == bool(data)
    assert len(rest) <= 4


class Stored:
    """An object of a store, which may cut what it sends."""

    def __init__(self, data: bytes, cut: int | None = None) -> None:
        self.data = data
        self.cut = cut
        self.asked: list[tuple[int, int]] = []

    def fetch(self, position: int, length: int) -> bytes:
        """Return a range, or a part of it."""
        self.asked.append((position, length))
        return self.data[position : position + min(length, self.cut or length)]


@pytest.mark.parametrize("start", [0, 1, PIECE, PIECE + 7, 2 * PIECE + 5])
def test_ranges(start: int) -> None:
    stored = Stored(bytes(2 * PIECE) + b"end..")
    found = b"".join(ranged(stored.fetch, start=start, size=len(stored.data), place="gs://b/x"))
    assert found == stored.data[start:]
    assert max((length for _position, length in stored.asked), default=0) <= PIECE


def test_a_read_that_is_cut_goes_on_where_it_was() -> None:
    stored = Stored(b"0123456789", cut=3)
    pieces = list(ranged(stored.fetch, start=2, size=10, place="gs://b/x"))
    assert pieces == [b"234", b"567", b"89"]
    assert stored.asked == [(2, 8), (5, 5), (8, 2)]


def test_an_empty_object_is_not_asked_for() -> None:
    stored = Stored(b"")
    assert list(ranged(stored.fetch, start=0, size=0, place="gs://b/x", check=read_check("x", sha_of(b"")))) == []
    assert stored.asked == []


@pytest.mark.parametrize("answer", [b"", b"01234567890"])
def test_a_store_that_sends_nothing_or_too_much(answer: bytes) -> None:
    with pytest.raises(StoreError) as caught:
        list(ranged(lambda _position, _length: answer, start=0, size=10, place="gs://b/x"))
    assert caught.value.kind is FailureKind.STORE_UNAVAILABLE
    assert caught.value.retryable


def sha_of(data: bytes) -> str:
    """Return a SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def test_what_was_stored_is_what_is_read() -> None:
    check = read_check("gs://b/x", sha_of(b"0123456789"))
    assert (
        b"".join(ranged(Stored(b"0123456789", cut=4).fetch, start=0, size=10, place="x", check=check)) == b"0123456789"
    )


def test_other_bytes_are_an_error_after_the_last_of_them() -> None:
    check = read_check("gs://b/x", sha_of(b"0123456789"))
    pieces = ranged(Stored(b"012345678X", cut=5).fetch, start=0, size=10, place="gs://b/x", check=check)
    assert [next(pieces), next(pieces)] == [b"01234", b"5678X"]
    with pytest.raises(StoreError, match=r"gs://b/x: the bytes that were read differ .*sha256") as caught:
        next(pieces)
    assert caught.value.kind is FailureKind.STORE


def test_a_part_of_an_object_has_no_checksum() -> None:
    check = read_check("x", sha_of(b"0123456789"))
    assert b"".join(ranged(Stored(b"0123456789").fetch, start=4, size=10, place="x", check=check)) == b"456789"


def test_every_checksum_counts() -> None:
    check = ReadCheck("x", {"a": (hashlib.sha256(), sha_of(b"1")), "b": (hashlib.sha1(usedforsecurity=False), "00")})
    check.update(b"1")
    with pytest.raises(StoreError, match=r"\(b\)"):
        check.require_match()
