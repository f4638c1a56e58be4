# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One header block of a tar, and the extended header that may stand before it, read as Go's ``archive/tar`` reads them.

What Go's own writer never produces (sparse files, names in two parts, numbers with a sign) is refused where following
Go's reader would cost more than a line: nothing that Consul wrote is lost by that. Pure: bytes in, values out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BLOCK = 512
EXTENDED, PLAIN = b"x", (b"0", b"\0")
"""Type flags: of an extended (PAX) header, and of a plain file."""

_LARGEST = (1 << 63) - 1
_OCTAL = re.compile(rb"[ \0]*(?:([0-7]+)(?:\0.*|[ \0]*))?", re.DOTALL)
_DECIMAL = re.compile(rb"([+-]?[0-9]{1,19})")
_TIME = re.compile(rb"([+-]?[0-9]{1,19})(?:\.[0-9]*)?")
_CHECKSUM = slice(148, 156)
_USTAR, _GNU = b"ustar\x0000", b"ustar  \0"
_STAR_MARK = b"tar\0"
# Mode, owner, group, size, time; then, where there is a magic, the numbers of a device.
_NUMBERS = (slice(100, 108), slice(108, 116), slice(116, 124), slice(124, 136), slice(136, 148))
_DEVICE = (slice(329, 337), slice(337, 345))
_SIZE = 3
_INTEGERS = frozenset({b"uid", b"gid", b"size"})
_TIMES = frozenset({b"atime", b"ctime", b"mtime"})
_TEXTS = frozenset({b"path", b"linkpath", b"uname", b"gname"})
_LONGEST_LENGTH = 20


class TarHeader(NamedTuple):
    """``name`` as text (bytes that are no UTF-8 escaped), ``type`` one byte, ``size`` in bytes, never negative."""

    name: str
    type: bytes
    size: int


class Extended(NamedTuple):
    """What an extended header says in place of the next header; None where it says nothing."""

    name: str | None = None
    size: int | None = None


def parse_header(block: bytes) -> TarHeader:
    """Read a whole block.

    :raises ValueError: it is no header.
    """
    told = _octal(block[_CHECKSUM])
    blank = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(blank)
    if told not in (unsigned, unsigned - 256 * sum(byte > 0x7F for byte in blank)):
        raise ValueError("the checksum is wrong")
    magic = block[257:265]
    if magic == _USTAR and block[508:] == _STAR_MARK:
        raise ValueError("the format is star's")
    if magic == _GNU and block[345:500].strip(b"\0"):
        raise ValueError("a GNU header has fields that Go does not write")
    numbers = [_number(block[field]) for field in _NUMBERS]
    if magic in (_USTAR, _GNU):
        for field in _DEVICE:
            _number(block[field])
    name, prefix = _text(block[:100]), _text(block[345:500]) if magic == _USTAR else b""
    return TarHeader(_shown(prefix + b"/" + name if prefix else name), block[156:157], _positive(numbers[_SIZE]))


def parse_extended(records: bytes) -> Extended:
    """Read the records of an extended header; each is ``<length> <key>=<value>\\n``, the length counting itself.

    :raises ValueError: they are damaged, or say something that Go's writer never says.
    """
    found: dict[bytes, bytes] = {}
    position, end = 0, len(records)
    while position < end:
        space = records.find(b" ", position, position + _LONGEST_LENGTH)
        digits = records[position : max(space, position)]
        # bytes.isdigit() knows no digits but these ten.
        if not digits.isdigit():
            raise ValueError("a record has no length")
        behind = position + int(digits)
        if behind > end or behind <= space + 1 or records[behind - 1 : behind] != b"\n":
            raise ValueError("a record has the wrong length")
        key, sign, value = records[space + 1 : behind - 1].partition(b"=")
        if not sign or not key or b"\0" in (value if key in _TEXTS else key):
            raise ValueError("a record is not a key and a value")
        if key.startswith(b"GNU.sparse."):
            raise ValueError("the file is sparse")
        found[key] = value
        position = behind
    # An empty value leaves what the header itself says.
    told = {key: value for key, value in found.items() if value}
    integers = {key: _integer(_DECIMAL, value) for key, value in told.items() if key in _INTEGERS}
    for key in _TIMES & set(told):
        _integer(_TIME, told[key])
    name, size = told.get(b"path"), integers.get(b"size")
    return Extended(None if name is None else _shown(name), None if size is None else _positive(size))


def _integer(pattern: re.Pattern[bytes], value: bytes) -> int:
    match = pattern.fullmatch(value)
    if match is None:
        raise ValueError("a number is expected")
    number = int(match.group(1))
    if not -_LARGEST - 1 <= number <= _LARGEST:
        raise ValueError("a number is too large")
    return number


def _positive(size: int) -> int:
    if size < 0:
        raise ValueError("a size is negative")
    return size


def _number(field: bytes) -> int:
    """Return a number of either notation: octal digits, or, marked by its first bit, base 256 in two's complement."""
    if not field[0] & 0x80:
        return _octal(field)
    bits = 8 * len(field) - 1
    number = int.from_bytes(field, "big") & (1 << bits) - 1
    if field[0] & 0x40:
        number -= 1 << bits
    if not -_LARGEST - 1 <= number <= _LARGEST:
        raise ValueError("a number is too large")
    return number


def _octal(field: bytes) -> int:
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise ValueError("octal digits are expected")
    return int(match.group(1) or b"0", 8)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
