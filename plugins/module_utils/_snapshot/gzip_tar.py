# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two wrappers around an archive's members: gzip and tar, read from a stream with nothing taken on trust."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .._errors import ArchiveError
from .tar_header import BLOCK, EXTENDED, PLAIN, Extended, TarHeader, parse_extended, parse_header

inflate: Any = zlib
with contextlib.suppress(ImportError):
    # The same at twice the speed; never required.
    from isal import isal_zlib as inflate

PIECE = 1 << 18
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_METHOD, _FLAGS, _FIELDS = 2, 3, 10
"""Offsets in gzip's header; of its optional fields the last."""
_DEFLATE = 8
_EXTRA, _NAME, _COMMENT = 0x04, 0x08, 0x10
_TEXT_LIMIT = 512
_EXTENDED_HEADER_LIMIT = 1 << 20


class Member(NamedTuple):
    """One file of the archive: its name, its length in bytes and its content, to be read before the next one."""

    name: str
    size: int
    pieces: Iterator[bytes]


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what the gzip stream holds, in pieces of at most PIECE bytes.

    :raises ArchiveError: faults ``not_gzip``, ``gzip`` (damaged), ``truncated``, ``trailing`` (bytes after the end).
    """
    decoder = None
    started = False
    waiting = b""
    for piece in pieces:
        data = waiting + piece if waiting else piece
        waiting = b""
        while data:
            if decoder is None:
                if len(data) < len(_GZIP):
                    waiting = data
                    break
                _expect_gzip(data, first=not started)
                if not _header_is_whole(data):
                    waiting = data
                    break
                decoder = inflate.decompressobj(wbits=_GZIP_WINDOW)
                started = True
            yield from _inflate(decoder, data)
            data = decoder.unused_data
            decoder = None if decoder.eof else decoder
    if waiting.startswith(_GZIP) or (waiting and not started and _GZIP.startswith(waiting)):
        raise _cut("the gzip stream ends inside its header")
    if waiting:
        _expect_gzip(waiting, first=not started)
    if not started:
        raise ArchiveError("the archive is empty", fault="truncated", hint="Use another archive.")
    if decoder is not None:
        raise _cut("the gzip stream has no end")


def _inflate(decoder: Any, data: bytes) -> Iterator[bytes]:
    try:
        while data and not decoder.eof:
            piece = decoder.decompress(data, PIECE)
            data = decoder.unconsumed_tail
            if piece:
                yield piece
        while not decoder.eof:
            piece = decoder.decompress(b"", PIECE)
            if not piece:
                break
            yield piece
    except (zlib.error, inflate.error) as error:
        raise ArchiveError(
            "the gzip stream is damaged", fault="gzip", hint="The archive was changed or cut. Use another archive."
        ) from error


def _expect_gzip(data: bytes, *, first: bool) -> None:
    if data.startswith(_GZIP):
        return
    if first:
        raise ArchiveError(
            f"this is not a Consul snapshot archive but {_looks_like(data)}",
            fault="not_gzip",
            hint="Check the path, and where the file comes from: a proxy may have responded instead of Consul.",
        )
    raise ArchiveError(
        "the archive is followed by more bytes",
        fault="trailing",
        hint="The file was changed, or the save failed late and Consul appended the error. Use another archive.",
    )


def _header_is_whole(data: bytes) -> bool:
    """Whether all is there of what tells a file's name and a comment; neither stands in what Consul writes.

    :raises ArchiveError: one is longer than Go takes it.
    """
    if len(data) <= _FLAGS:
        return False
    flags, position = data[_FLAGS] if data[_METHOD] == _DEFLATE else 0, _FIELDS
    if flags & _EXTRA:
        position += 2 + int.from_bytes(data[position : position + 2], "little")
    for field in (_NAME, _COMMENT):
        if flags & field:
            end = data.find(b"\0", position, position + _TEXT_LIMIT)
            if end < 0 and len(data) >= position + _TEXT_LIMIT:
                raise _not_ours("the header of the gzip stream is damaged")
            if end < 0:
                return False
            position = end + 1
    return True


def _looks_like(data: bytes) -> str:
    head = data[:64].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
        return "an HTML page"
    if head.startswith((b"{", b"[")):
        return "JSON"
    if all(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in data[:64]):
        return "text"
    return "something else (no gzip header)"


def _cut(message: str) -> ArchiveError:
    return ArchiveError(message, fault="truncated", hint="The archive is incomplete. Use another archive.")


class _Source:
    """Exact reads from an iterator of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def upto(self, size: int) -> Iterator[bytes]:
        """Yield ``size`` bytes in pieces as they come, fewer when the stream ends."""
        while size:
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                return
            taken, self._rest = (piece, b"") if len(piece) <= size else (piece[:size], piece[size:])
            size -= len(taken)
            yield taken

    def exactly(self, size: int, what: str) -> bytes:
        data = b"".join(self.upto(size))
        if len(data) != size:
            raise _cut(f"the archive ends inside {what}")
        return data


def members(pieces: Iterator[bytes]) -> Iterator[Member]:
    """Yield the members of a tar stream and insist that nothing follows it.

    USTAR, PAX and GNU headers are understood, as Go writes one or the other by size.

    :raises ArchiveError: faults ``double_gzip``, ``tar``, ``truncated``, ``trailing``.
    """
    source = _Source(pieces)
    told = Extended()
    while True:
        block = b"".join(source.upto(BLOCK))
        if block.startswith(_GZIP):
            raise ArchiveError(
                "the archive is compressed twice",
                fault="double_gzip",
                retryable=False,
                hint="A proxy in front of Consul compresses it again. Turn this off in the proxy for /v1/snapshot.",
            )
        if not block or block == bytes(BLOCK):
            break
        header = _parse(block)
        if header.type == EXTENDED:
            told = _extended(source, header.size)
            continue
        name = header.name if told.name is None else told.name
        size = header.size if told.size is None else told.size
        if header.type not in PLAIN:
            raise _not_ours(f"member {name!r} is not a plain file")
        told = Extended()
        yield Member(name, size, _whole(source, size, name))
        source.exactly(_padded(size) - size, f"member {name!r}")
    _expect_end(source)


def _expect_end(source: _Source) -> None:
    # Two zero blocks end a tar; Consul accepts one or none as well, and refuses whatever follows (its ReadAndVerify).
    second = b"".join(source.upto(BLOCK))
    if second not in (b"", bytes(BLOCK)) or next(source.upto(1), b""):
        raise ArchiveError(
            "the tar is followed by more bytes",
            fault="trailing",
            hint="Another program rewrote this archive, or a late error was appended to it. Use the original.",
        )


def _parse(block: bytes) -> TarHeader:
    if len(block) < BLOCK:
        raise _cut("the archive ends inside a tar header")
    try:
        return parse_header(block)
    except ValueError as error:
        raise _damaged() from error


def _extended(source: _Source, size: int) -> Extended:
    if size > _EXTENDED_HEADER_LIMIT:
        raise _not_ours("a tar header is too large")
    try:
        return parse_extended(source.exactly(_padded(size), "a tar header")[:size])
    except ValueError as error:
        raise _damaged() from error


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _whole(source: _Source, size: int, name: str) -> Iterator[bytes]:
    left = size
    for piece in source.upto(size):
        left -= len(piece)
        yield piece
    if left:
        raise _cut(f"the archive ends inside its member {name!r}")


def _damaged() -> ArchiveError:
    return _not_ours("a tar header is damaged")


def _not_ours(message: str) -> ArchiveError:
    return ArchiveError(message, fault="tar", hint="This gzip file is damaged, or Consul did not write it.")
