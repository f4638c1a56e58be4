# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes on their way into a store and out of it, in blocks, so that memory does not grow with their number (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from ..._errors import FailureKind, StoreError

BLOCK = 8 << 20
"""Bytes that are sent with one request."""
PIECE = 4 << 20
"""Bytes that are read with one request. Azure gives a checksum for no more than that."""

UPLOAD = "upload"
"""The metadata with the number of one upload, which tells our own object from that of another writer."""

Fetch = Callable[[int, int], bytes]
"""Gets a position and a number of bytes, and returns these bytes, or fewer where the connection was cut."""


class BlockBuffer:
    """Collects bytes until there are enough for a request. The last block is held back: it ends the object."""

    def __init__(self, size: int = BLOCK) -> None:
        self._size = size
        self._data = bytearray()

    def add(self, data: bytes) -> Iterator[bytes]:
        """Append bytes, and yield what is then too much for one block, in blocks."""
        view = memoryview(data)
        while view:
            if len(self._data) == self._size:
                yield self._cut()
            room = self._size - len(self._data)
            self._data += view[:room]
            view = view[room:]

    def rest(self) -> bytes:
        """Return what was held back."""
        return self._cut()

    def _cut(self) -> bytes:
        block = bytes(self._data)
        self._data = bytearray()
        return block


def require_sha256(data: bytes, sha256: str, place: str) -> None:
    """Check an object that goes with one request before it does; with more of them each has a checksum of its own.

    :raises StoreError: its bytes are not those that the digest is of.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StoreError(
            f"{place}: these are other bytes than those that were verified",
            hint="Nothing was stored. Try again. If it fails again, this host's memory may be damaged.",
        )


class ReadCheck:
    """Compares what was read, from the first byte to the last, with what the store noted when it was stored."""

    def __init__(self, place: str, expected: dict[str, tuple[Any, str]]) -> None:
        """``expected``: the name of each checksum, with an object like those of ``hashlib``, and the digest in hex."""
        self._place = place
        self._expected = expected

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        for running, _digest in self._expected.values():
            running.update(data)

    def require_match(self) -> None:
        """Check what was taken.

        :raises StoreError: the bytes are not those that were stored.
        """
        wrong = [name for name, (running, digest) in self._expected.items() if running.digest().hex() != digest]
        if wrong:
            raise StoreError(
                f"{self._place}: the bytes that were read differ from those that were stored ({', '.join(wrong)})",
                hint="Read it again. If it fails again, the object is damaged: use another copy.",
            )


def read_check(place: str, sha256: str | None) -> ReadCheck:
    """Return the check of an object for which a SHA-256 was noted, or nothing."""
    return ReadCheck(place, {"sha256": (hashlib.sha256(), sha256)} if sha256 else {})


def ranged(fetch: Fetch, *, start: int, size: int, place: str, check: ReadCheck | None = None) -> Iterator[bytes]:
    """Yield an object's bytes from ``start`` on; what was cut is asked for again from where it ended.

    :param check: of the whole object: it counts when ``start`` is 0.
    :raises StoreError: a request brought nothing, or the bytes are not those that were stored.
    """
    position = start
    while position < size:
        data = fetch(position, min(PIECE, size - position))
        if not data or len(data) > size - position:
            raise StoreError(
                f"{place}: the store did not return the bytes that it was asked for",
                kind=FailureKind.STORE_UNAVAILABLE,
                hint="Try again.",
                retryable=True,
            )
        position += len(data)
        if check is not None and start == 0:
            check.update(data)
        yield data
    if check is not None and start == 0:
        check.require_match()
