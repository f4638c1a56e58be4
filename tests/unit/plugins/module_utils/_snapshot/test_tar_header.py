# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tar headers as Go reads them: sizes, numbers, extended headers, and the end of the archive."""

from __future__ import annotations

import gzip

import pytest
from support import archives
from support.archives import BLOCK, META, STATE, Part, archive_of, parts_of, tar_of, zipped
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive

PARTS = parts_of(archive_around(state_of([kv("a", b"1")])))
SIZE = len(PARTS[0].data)


def fault_of(archive: bytes) -> str:
    try:
        read_archive([archive])
    except ArchiveError as error:
        return error.fault
    return ""


def summed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def with_field(start: int, end: int, value: bytes) -> bytes:
    """Return an archive with one field of its first header changed."""

    def header(part: Part) -> bytes:
        block = bytearray(archives.ustar_header(part))
        if part is PARTS[0]:
            block[start:end] = value.ljust(end - start, b"\0")
        return summed(block)

    return archive_of(PARTS, header=header)


OCTAL = f"{SIZE:o}".encode()
SIZES: list[tuple[bytes, str]] = [
    (OCTAL, ""),
    (b" 0" + OCTAL + b" ", ""),
    (OCTAL + b"\0 x", ""),
    (b"\x80" + SIZE.to_bytes(11, "big"), ""),
    (b"0o" + OCTAL, "tar"),
    (b"+" + OCTAL, "tar"),
    (b"-" + OCTAL, "tar"),
    (OCTAL[:1] + b"_" + OCTAL[1:], "tar"),
    (b"\t" + OCTAL, "tar"),
    (OCTAL + b" \0x", "tar"),
    (b"\0\0x", "tar"),
    (b"9", "tar"),
    (b"\xff" * 12, "tar"),
    (b"\xc0" + bytes(11), "tar"),
    (b"\x80" + bytes(3) + b"\x80" + bytes(7), "tar"),
    (b"\x80" + b"\xff" * 11, "tar"),
]


@pytest.mark.parametrize(("field", "fault"), SIZES, ids=[str(row[0]) for row in SIZES])
def test_sizes(field: bytes, fault: str) -> None:
    assert fault_of(with_field(124, 136, field)) == fault


@pytest.mark.parametrize(("start", "end"), [(100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345)])
@pytest.mark.parametrize(("value", "fault"), [(b"x", "tar"), (b"0o7", "tar"), (b"7", ""), (b"\xff" * 12, "")])
def test_numbers_that_nobody_needs_have_to_be_numbers_all_the_same(
    start: int, end: int, value: bytes, fault: str
) -> None:
    assert fault_of(with_field(start, end, value[: end - start])) == fault


@pytest.mark.parametrize(
    ("start", "end", "value"),
    [(345, 500, b"directory"), (257, 265, b"ustar\x0000"), (508, 512, b"tar\0"), (156, 157, b"5"), (156, 157, b"7")],
)
def test_forms_of_headers_that_consul_never_writes(start: int, end: int, value: bytes) -> None:
    # The second is as it is: a check of the rows beside it.
    assert fault_of(with_field(start, end, value)) == ("" if start == 257 else "tar")


def extended(*pairs: bytes) -> bytes:
    """Return an archive with an extended header of these pairs in front of the first member."""
    records = b""
    for pair in pairs:
        length = len(pair) + 3
        length += len(str(length)) - 1
        records += b"%d %s\n" % (length, pair)
    block = bytearray(archives.ustar_header(Part("PaxHeaders", records)))
    block[156:157] = b"x"
    return zipped(summed(block) + records + bytes(-len(records) % BLOCK) + tar_of(PARTS))


EXTENDED: list[tuple[list[bytes], str]] = [
    ([b"size=%d" % SIZE], ""),
    ([b"size=+%d" % SIZE], ""),
    ([b"size="], ""),
    ([b"size=1", b"size=%d" % SIZE], ""),
    ([b"path=meta.json"], ""),
    ([b"path="], ""),
    ([b"comment=x", b"mtime=1.5", b"atime=-1"], ""),
    ([b"path=other"], "tar"),
    ([b"path=state.bin"], "tar"),
    ([b"size=-1"], "tar"),
    ([b"size=1.0"], "tar"),
    ([b"size=9223372036854775808"], "tar"),
    ([b"uid=x"], "tar"),
    ([b"mtime=soon"], "tar"),
    ([b"mtime=1.x"], "tar"),
    ([b"uname=a\0b"], "tar"),
    ([b"a\0b=1"], "tar"),
    ([b"=x"], "tar"),
    ([b"nothing"], "tar"),
    ([b"GNU.sparse.major=1"], "tar"),
]


@pytest.mark.parametrize(("pairs", "fault"), EXTENDED, ids=[str(row[0]) for row in EXTENDED])
def test_what_an_extended_header_says_counts(pairs: list[bytes], fault: str) -> None:
    assert fault_of(extended(*pairs)) == fault


@pytest.mark.parametrize(
    ("size", "fault"),
    [(0, ""), (512, ""), (1024, ""), (513, "trailing"), (700, "trailing"), (1023, "trailing"), (1025, "trailing")],
)
def test_zero_blocks_are_whole(size: int, fault: str) -> None:
    assert fault_of(zipped(tar_of(PARTS, end=bytes(size)))) == fault


@pytest.mark.parametrize(("length", "fault"), [(1, ""), (511, ""), (512, "tar"), (70_000, "tar")])
@pytest.mark.parametrize("flag", [0x08, 0x10], ids=["name", "comment"])
@pytest.mark.parametrize("piece", [1, 1 << 18])
def test_a_name_in_the_gzip_header_is_as_long_as_go_takes_it(length: int, fault: str, flag: int, piece: int) -> None:
    plain = gzip.compress(tar_of(PARTS), mtime=0)
    data = plain[:3] + bytes([flag]) + plain[4:10] + b"x" * length + b"\0" + plain[10:]
    try:
        read_archive(data[start : start + piece] for start in range(0, len(data), piece))
    except ArchiveError as error:
        assert error.fault == fault  # noqa: PT017  # either way is right for some rows
    else:
        assert fault == ""


def test_the_parts_are_those_of_an_archive() -> None:
    assert [part.name for part in PARTS][:2] == [META, STATE]
