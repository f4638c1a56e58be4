# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state inside an archive: which records there are, and where each one begins and ends.

``state.bin`` is a msgpack map ``{LastIndex}`` and then, until its end, one type byte and exactly one msgpack value
per record (Consul's ``agent/consul/fsm``: ``Persist`` and ``ReadSnapshot``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from ..._errors import ArchiveError, MissingLibraryError
from ..._model.record_types import RecordType, kind_of
from .long_record import HELD, LongValue, TooMuch, has_too_many_parts

try:
    import msgpack
except ImportError as missing:
    msgpack = None
    MSGPACK_MISSING = str(missing)
else:
    MSGPACK_MISSING = ""

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What code that looks into a record may raise when the record has not the shape that it counts on."""

# Asked of each record: the enumeration itself is slow to ask.
_KVS = int(RecordType.KVS)
_KVS_BYTE = bytes([_KVS])

_HEADER_LIMIT = 4096
_PARTS_TO_UNPACK = 1 << 19
"""Values that are made into objects at once: each takes up to a hundred bytes."""


class Frame(NamedTuple):
    """One record: its type byte, its msgpack value as it stands in the state, and the length of both together.

    ``digest``: the SHA-256 of the value where that is too long to be held; ``raw`` is empty then.
    """

    type_id: int
    raw: bytes
    size: int
    digest: bytes | None = None


def require_msgpack() -> None:
    """Raise MissingLibraryError when the msgpack library is not installed here."""
    if msgpack is None:
        raise MissingLibraryError("msgpack", MSGPACK_MISSING)


def unpack(raw: bytes, **options: Any) -> Any:
    """Decode one msgpack value; strings stay bytes, because Consul writes text and bytes alike.

    :raises ValueError: it is none, or far larger than anything that Consul writes.
    """
    _refuse_too_many_parts(raw)
    return msgpack.unpackb(raw, raw=True, strict_map_key=False, **options)


def unpack_all(raw: bytes, **options: Any) -> list[Any]:
    """Decode every msgpack value of ``raw``, one after another.

    :raises ValueError: as ``unpack`` does.
    """
    _refuse_too_many_parts(raw)
    # A length that lies would take the memory for what it says, were it not for this limit.
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=max(len(raw), 1), **options)
    unpacker.feed(raw)
    return list(unpacker)


def _refuse_too_many_parts(raw: bytes) -> None:
    if has_too_many_parts(raw, _PARTS_TO_UNPACK):
        raise ValueError("a record has too many parts")


def pack(value: Any) -> bytes:
    """Encode a value the way Consul does: the old msgpack, in which text and bytes are one type."""
    return bytes(msgpack.packb(value, use_bin_type=False))


class RecordSplitter:
    """Cuts the state's byte stream into records.

    Feed it pieces of any size; each call yields the frames that are whole by then. Memory: one piece and one record of
    at most 8 MiB; what is larger is digested as it goes by.

    :param fast_run: called with the buffer and an offset at which a record begins; returns the offset behind as many
        records as it could deal with by itself, the same offset when it can't. Those are not yielded.
    """

    def __init__(self, fast_run: Callable[[bytes, int], int] | None = None) -> None:
        require_msgpack()
        self.last_index: int | None = None
        self.header_size = 0
        self._fast_run = fast_run
        self._rest = b""
        self._wanted = 0
        self._long: tuple[int, LongValue] | None = None

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Yield the records that ``piece`` completes.

        :raises ArchiveError: the bytes can't be a state; fault ``records``.
        """
        buffer = self._rest = self._rest + piece if self._rest else piece
        # A record larger than the pieces is not scanned anew with each of them, but each time its bytes have doubled.
        if len(buffer) < self._wanted:
            return
        position = 0
        try:
            if self.last_index is None:
                position = self._read_header(buffer)
            while self.last_index is not None and position < len(buffer):
                before = position
                if self._long is None:
                    if self._fast_run is not None:
                        position = self._fast_run(buffer, position)
                    for frame in self._general_run(buffer, position):
                        position += frame.size
                        yield frame
                    if len(buffer) - position > HELD:
                        self._long = buffer[position], LongValue()
                        position += 1
                if self._long is not None:
                    position, ended = self._long_run(buffer, position)
                    if ended is not None:
                        yield ended
                if position == before:
                    break
        except (*UNREADABLE, msgpack.UnpackException) as error:
            told = error if isinstance(error, TooMuch) else f"a record can't be read ({type(error).__name__})"
            raise _broken(f"the state can't be read: {told}") from error
        self._rest = buffer[position:]
        self._wanted = min(2 * len(buffer), HELD + 1) if position == 0 else 0

    def finish(self) -> Iterator[Frame]:
        """Yield what is left and say that the state ends here.

        :raises ArchiveError: it ends inside a record, or before its header; fault ``records``.
        """
        self._wanted = 0
        yield from self.feed(b"")
        if self.last_index is None:
            raise _broken("the state has no header")
        cut = self._rest[:1] if self._long is None else bytes([self._long[0]])
        if cut:
            raise _broken(f"the state ends inside a record of type {kind_of(cut[0]).name}")

    def _read_header(self, buffer: bytes) -> int:
        limits = dict.fromkeys(("max_str_len", "max_bin_len", "max_array_len", "max_map_len"), _HEADER_LIMIT)
        unpacker = _unpacker(buffer[:_HEADER_LIMIT], **limits)
        try:
            header = unpacker.unpack()
        except msgpack.OutOfData:
            if len(buffer) >= _HEADER_LIMIT:
                raise _broken("the state doesn't begin with a LastIndex") from None
            return 0
        last_index = header.get(b"LastIndex") if isinstance(header, dict) else None
        if not isinstance(last_index, int) or isinstance(last_index, bool) or last_index < 0:
            raise _broken("the state doesn't begin with a LastIndex")
        self.last_index = last_index
        self.header_size = int(unpacker.tell())
        return self.header_size

    def _long_run(self, buffer: bytes, position: int) -> tuple[int, Frame | None]:
        """Go on with a long record; return the offset up to which the buffer is dealt with, and the record's end."""
        if self._long is None:
            return position, None
        type_id, value = self._long
        behind = value.feed(buffer, position)
        if behind is None:
            return len(buffer), None
        self._long = None
        return behind, Frame(type_id, b"", 1 + value.size, value.digest)

    def _general_run(self, buffer: bytes, position: int) -> Iterator[Frame]:
        unpacker = _unpacker(memoryview(buffer)[position:])
        while position < len(buffer):
            type_id = unpacker.read_bytes(1)[0]
            # msgpack 1.0.0 does not count in tell() what read_bytes() took; later versions do.
            begun = unpacker.tell()
            try:
                unpacker.skip()
            except msgpack.OutOfData:
                return
            start, position = position, position + 1 + int(unpacker.tell() - begun)
            size, raw = position - start, buffer[start + 1 : position]
            # What is too long is treated as such, however much of it a piece happens to hold.
            yield Frame(type_id, raw, size) if size <= HELD else Frame(type_id, b"", size, sha256(raw).digest())
            if self._fast_run is not None and type_id != _KVS and buffer[position : position + 1] == _KVS_BYTE:
                return


def _unpacker(data: bytes | memoryview, **limits: int) -> Any:
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=0, **limits)
    unpacker.feed(data)
    return unpacker


def _broken(message: str) -> ArchiveError:
    return ArchiveError(
        message,
        fault="records",
        retryable=False,
        hint="Don't restore this archive: such a record crashes a server. Take a new one.",
    )
