# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gzip and tar, cut and damaged at every byte, with every decoder that there is."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from support import archives
from support.archives import BLOCK, META, STATE, SUMS, Part, parts_of, tar_of, zipped
from support.states import archive_around, kv, node, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot import gzip_tar as _unpack
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.gzip_tar import PIECE, gunzip, members
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive

DATA = bytes(range(256)) * 3
ARCHIVE = archive_around(state_of([node("web"), kv("app/one", b"1"), kv("app/two", b"2" * 300)]))
PARTS = parts_of(ARCHIVE)
TAR = tar_of(PARTS)
TRAILER = 8


def decoders() -> list[ModuleType]:
    """Return zlib and, where it is installed, isal's faster one."""
    try:
        from isal import isal_zlib
    except ImportError:
        return [zlib]
    return [zlib, isal_zlib]


@pytest.fixture(params=decoders(), ids=lambda module: module.__name__)
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Decode with each of them."""
    monkeypatch.setattr(_unpack, "inflate", request.param)
    return request.param


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def unzipped(data: bytes, size: int = PIECE) -> bytes:
    return b"".join(gunzip(in_pieces(data, size)))


def fault_of(read: Callable[[], object]) -> str:
    with pytest.raises(ArchiveError) as caught:
        read()
    assert caught.value.hint
    return caught.value.fault


def untarred(data: bytes, size: int = PIECE) -> list[Part]:
    return [Part(one.name, b"".join(one.pieces)) for one in members(in_pieces(data, size))]


@pytest.mark.usefixtures("decoder")
class TestGunzip:
    """What ``gunzip`` takes and refuses."""

    @pytest.mark.parametrize("size", [1, 2, 7, 64, PIECE])
    def test_pieces_of_any_size(self, size: int) -> None:
        assert unzipped(zipped(DATA), size) == DATA

    @pytest.mark.parametrize("size", [1, 2, 5, PIECE])
    def test_several_streams_are_one(self, size: int) -> None:
        assert unzipped(zipped(DATA[:9]) + zipped(b"") + zipped(DATA[9:]), size) == DATA

    def test_what_comes_out_is_in_small_pieces_however_much_it_is(self) -> None:
        pieces = list(gunzip([gzip.compress(bytes(40 * PIECE))]))
        assert max(map(len, pieces)) <= PIECE
        assert sum(map(len, pieces)) == 40 * PIECE

    @pytest.mark.parametrize("size", [1, PIECE])
    def test_cut_at_every_byte(self, size: int) -> None:
        whole = zipped(DATA)
        faults = {fault_of(lambda end=end: unzipped(whole[:end], size)) for end in range(len(whole))}
        assert faults == {"truncated"}

    @pytest.mark.parametrize(
        ("data", "fault", "words"),
        [
            (b"", "truncated", "empty"),
            (b"<!DOCTYPE html><html>", "not_gzip", "an HTML page"),
            (b'{"error": 1}', "not_gzip", "JSON"),
            (b"No cluster leader", "not_gzip", "text"),
            (b"x", "not_gzip", "text"),
            (b"\x00\x01\x02", "not_gzip", "something else"),
            (zipped(DATA) + b"late error", "trailing", "more bytes"),
            (zipped(DATA) + b"\x1f", "trailing", "more bytes"),
            (zipped(DATA) + bytes(4), "trailing", "more bytes"),
            (zipped(DATA) + b"\x1f\x8b", "truncated", "ends"),
            (b"\x1f\x8b" + b"\xff" * 40, "gzip", "damaged"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 3, PIECE])
    def test_what_is_no_gzip(self, data: bytes, fault: str, words: str, size: int) -> None:
        with pytest.raises(ArchiveError) as caught:
            unzipped(data, size)
        assert caught.value.fault == fault
        # What it looks like is told from its first piece.
        assert size < len(data) or words in caught.value.message

    def test_a_wrong_checksum_or_length(self) -> None:
        whole = zipped(DATA)
        for offset in range(len(whole) - TRAILER, len(whole)):
            assert fault_of(lambda offset=offset: unzipped(archives.flipped(whole, offset))) == "gzip"


class TestMembers:
    """What ``members`` takes and refuses."""

    @pytest.mark.parametrize("size", [1, 100, BLOCK, 700, PIECE])
    def test_pieces_of_any_size(self, size: int) -> None:
        assert untarred(TAR, size) == PARTS

    @pytest.mark.parametrize("header", [archives.ustar_header, archives.pax_header, archives.gnu_header])
    def test_every_kind_of_header(self, header: archives.HeaderWriter) -> None:
        assert untarred(tar_of(PARTS, header=header)) == PARTS

    @pytest.mark.parametrize("blocks", [0, 1, 2])
    def test_zero_blocks_at_the_end(self, blocks: int) -> None:
        assert untarred(tar_of(PARTS, end=bytes(blocks * BLOCK))) == PARTS

    @pytest.mark.parametrize("end", [bytes(3 * BLOCK), bytes(2 * BLOCK) + b"x", bytes(BLOCK) + b"x", bytes(10_240)])
    def test_bytes_after_the_end(self, end: bytes) -> None:
        assert fault_of(lambda: untarred(tar_of(PARTS, end=end))) == "trailing"

    def test_cut_at_every_byte(self) -> None:
        # Between two members a cut looks like an end, and what is missing is for the reader of the archive to see.
        ends, position = {0}, 0
        for part in PARTS:
            position += BLOCK + -(-len(part.data) // BLOCK) * BLOCK
            ends.add(position)
        for end in set(range(0, position, 7)) - ends:
            assert fault_of(lambda end=end: untarred(TAR[:end])) == "truncated"
        for end in ends:
            assert untarred(TAR[:end]) == PARTS[: sorted(ends).index(end)]

    def test_a_gzip_in_a_gzip(self) -> None:
        with pytest.raises(ArchiveError) as caught:
            untarred(zipped(TAR))
        assert (caught.value.fault, caught.value.retryable) == ("double_gzip", False)

    @pytest.mark.parametrize("offset", [0, 100, 124, 148])
    def test_a_damaged_header(self, offset: int) -> None:
        assert fault_of(lambda: untarred(archives.flipped(TAR, offset))) == "tar"

    @pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"5", b"6", b"L", b"g"])
    def test_what_is_no_plain_file(self, kind: bytes) -> None:
        header = bytearray(archives.ustar_header(Part(META, b"")))
        header[156:157] = kind
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        assert fault_of(lambda: untarred(bytes(header) + bytes(2 * BLOCK))) == "tar"

    @pytest.mark.parametrize(
        ("record", "damaged"),
        [
            (b"x", True),
            (b"0 size=1\n", True),
            (b"99 size=1\n", True),
            (b"9 size=x\n", True),
            (b"11 size=-1\n", True),
            (b"4 \xff\n", True),
            (b"15 path=\0other\n", True),
            (b"14 mtime=soon\n", True),
            (b"22 GNU.sparse.major=1\n", True),
            (b"13 mtime=1.5\n", False),
            (b"8 size=\n", False),
            (b"17 comment=other\n", False),
        ],
    )
    def test_pax_records(self, record: bytes, damaged: bool) -> None:
        extended = bytearray(archives.ustar_header(Part("PaxHeader", record)))
        extended[156:157] = b"x"
        extended[148:156] = b" " * 8
        extended[148:156] = b"%06o\0 " % sum(extended)
        data = bytes(extended) + record + bytes(BLOCK - len(record)) + TAR
        if damaged:
            assert fault_of(lambda: untarred(data)) == "tar"
        else:
            # One that says nothing about the size.
            assert untarred(data) == PARTS


def test_any_changed_byte_of_the_tar_that_counts_shows() -> None:
    padding = set()
    position = 0
    for part in PARTS:
        # A number in the header's checksum can be written in more than one way.
        padding.update(range(position + 148, position + 156))
        end = position + BLOCK + len(part.data)
        position = -(-end // BLOCK) * BLOCK
        padding.update(range(end, position))
    for offset in set(range(position)) - padding:
        spoilt = TAR[:offset] + bytes([TAR[offset] ^ 0x10]) + TAR[offset + 1 :]
        fault = fault_of(lambda spoilt=spoilt: read_archive([zipped(spoilt)]))
        assert fault in ("tar", "truncated", "sums", "meta")


@pytest.mark.usefixtures("decoder")
class TestWhole:
    """The whole reader on a whole archive, spoilt byte by byte."""

    @pytest.mark.parametrize("size", [100, PIECE])
    def test_cut_at_every_byte(self, size: int) -> None:
        faults = {fault_of(lambda end=end: read_archive(in_pieces(ARCHIVE[:end], size))) for end in range(len(ARCHIVE))}
        assert faults == {"truncated"}

    def test_any_flipped_bit_fails_or_changes_nothing(self) -> None:
        whole = read_archive([ARCHIVE])
        chance = random.Random(1)
        seen = 0
        for offset in range(len(ARCHIVE)):
            spoilt = archives.flipped(ARCHIVE, offset, chance.randrange(8))
            try:
                assert read_archive([spoilt]) == whole
            except ArchiveError:
                seen += 1
                continue
            assert archives.same_content(ARCHIVE, spoilt)
        assert seen > len(ARCHIVE) / 2

    def test_what_was_read(self) -> None:
        assert [part.name for part in PARTS] == [META, STATE, SUMS]
        assert {name: stats.count for name, stats in read_archive([ARCHIVE]).state.records.items()} == {
            "Register": 1,
            "KVS": 2,
        }
