# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutations of what is around the records: bytes, gzip, tar, sums and meta.json, the outer layers put right each time.

A mutation takes a source of chance and an archive, and returns a word for what it did and the archive that came of it.
"""

from __future__ import annotations

import gzip
import json
import random
import struct
import zlib
from collections.abc import Callable

from support import archives
from support.archives import BLOCK, META, STATE, SUMS, Part, archive_of, mended, parts_of, replaced, tar_of, zipped

Mutation = Callable[[random.Random, bytes], tuple[str, bytes]]

_CHECKSUM = slice(148, 156)
# Where the fields of a tar header lie.
_FIELDS = {
    "name": (0, 100),
    "mode": (100, 108),
    "uid": (108, 116),
    "gid": (116, 124),
    "size": (124, 136),
    "mtime": (136, 148),
    "type": (156, 157),
    "linkname": (157, 257),
    "magic": (257, 265),
    "uname": (265, 297),
    "gname": (297, 329),
    "devmajor": (329, 337),
    "devminor": (337, 345),
    "prefix": (345, 500),
    "rest": (500, 512),
}
_NUMBERS = [
    *(b"", b"0o17", b"+17", b"-17", b"1_7", b" 17", b"17 ", b"\t17", b"9", b"0x1", b"17\0x", b"17 \0x", b"\0\0x"),
    *(b"\xff" * 12, b"\x80" + bytes(11), b"\x80" + b"\xff" * 11, b"\xc0" + bytes(11), b"\x81" + bytes(11)),
    *(b"\x80" + bytes(3) + b"\x80" + bytes(7), b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7, b"777777777777"),
]
_LITERALS = [
    *("0", "1", "-1", "-0", "1.0", "1e2", "1E400", '"1"', '""', '"x"', "true", "false", "null", "[]", "{}", "[1]"),
    *("NaN", "Infinity", "01", "+1", "0x1", "1_0", "9223372036854775807", "9223372036854775808", '"AAAA"', '"A"'),
    *("18446744073709551612", "18446744073709551615", "18446744073709551616", "9" * 30, "[" * 200 + "]" * 200),
    *('{"Servers": null}', '{"Servers": [{}]}', '{"Servers": [null]}', '{"Servers": {}}', '{"servers": []}'),
    *('{"Servers": [{"Suffrage": 7, "ID": "a", "Address": "b"}]}', '{"Servers": [{"Suffrage": "0"}]}', '"\\ud800"'),
    *('{"Servers": [{"Suffrage": 0, "ID": 1, "Address": "b"}]}', '"\\u00zz"', '"\x01"', "'x'", "[1,]", '{"a":1,}'),
]


def flipped_bits(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Bits of the file as it lies on the disk."""
    data = bytearray(archive)
    for _time in range(rng.choice((1, 1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return "bits of the file", bytes(data)


def edited_bytes(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """A cut, a gap, a repetition, an insertion, bytes behind the end."""
    at, length = rng.randrange(len(archive)), rng.choice((1, 2, 7, 64, 700))
    piece = archive[at : at + length]
    choices = {
        "the file cut": archive[:at],
        "a gap in the file": archive[:at] + archive[at + length :],
        "a piece of the file twice": archive[:at] + piece + archive[at:],
        "bytes put in": archive[:at] + rng.randbytes(length) + archive[at:],
        "zeros in the file": archive[:at] + bytes(len(piece)) + archive[at + length :],
        "bytes behind the file": archive + rng.choice((b"\0", b"\n", b"late error", rng.randbytes(length), archive)),
    }
    word = rng.choice(sorted(choices))
    return word, choices[word]


def gzip_form(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """The same bytes in another gzip, or in one that is not right."""
    tar = gzip.decompress(archive)
    body = zlib.compress(tar, rng.choice((0, 1, 6, 9)), wbits=-15)
    trailer = struct.pack("<II", zlib.crc32(tar), len(tar))
    half = rng.randrange(len(tar))
    flags, extra = rng.choice(
        [
            (0x08, b"state.tar\0"),
            (0x08, b"x" * rng.choice((511, 512, 600, 70_000)) + b"\0"),
            (0x10, b"a comment\0"),
            (0x04, struct.pack("<H", 3) + b"abc"),
            (0x01, b""),
            (rng.choice((0x20, 0x40, 0x80)), b""),
        ]
    )
    plain = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    header = bytearray(plain[:3] + bytes([flags]) + plain[4:] + extra)
    checked = bytes(header) + struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    choices = {
        "gzip again": plain + body + trailer,
        "gzip with a field": bytes(header) + body + trailer,
        "gzip with a checksum for its header": checked.replace(b"\x08" + bytes([flags]), b"\x08\x02", 1)
        + body
        + trailer,
        "gzip in two": zipped(tar[:half]) + zipped(tar[half:]),
        "gzip with an empty one behind": zipped(tar) + zipped(b""),
        "gzip twice": zipped(archive),
        "gzip with a wrong checksum": plain + body + struct.pack("<II", zlib.crc32(tar) ^ 1, len(tar)),
        "gzip with a wrong length": plain + body + struct.pack("<II", zlib.crc32(tar), len(tar) + 1),
        "no gzip": tar,
        "zlib instead": zlib.compress(tar),
        "gzip of another method": plain[:2] + b"\x07" + plain[3:] + body + trailer,
    }
    word = rng.choice(sorted(choices))
    return word, choices[word]


def tar_bits(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Bits of the tar, in a gzip that is right."""
    tar = bytearray(gzip.decompress(archive))
    for _time in range(rng.choice((1, 1, 2, 6))):
        tar[rng.randrange(len(tar))] ^= 1 << rng.randrange(8)
    return "bits of the tar", zipped(bytes(tar))


def tar_field(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """One field of one header, with the header's checksum put right."""
    parts, field = parts_of(archive), rng.choice(sorted(_FIELDS))
    start, end = _FIELDS[field]
    value = rng.choice((rng.choice(_NUMBERS), rng.randbytes(end - start), b"ustar\x0000", b"ustar  \0", b"x", b"\0"))
    changed = rng.randrange(len(parts))

    def header(part: Part) -> bytes:
        block = bytearray(archives.ustar_header(part))
        if part is parts[changed]:
            block[start:end] = value[: end - start].ljust(end - start, rng.choice((b"\0", b" ")))
        return _summed(block, rng)

    return f"tar {field}", archive_of(parts, header=header)


def tar_form(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Members in another order, doubled, missing, or strange; the end of the tar; other kinds of headers."""
    parts = parts_of(archive)
    some = rng.choice(parts)
    end = rng.choice((0, 1, 100, BLOCK, BLOCK + 1, BLOCK + 511, 2 * BLOCK, 2 * BLOCK + 1, 10_240))
    header = rng.choice((archives.ustar_header, archives.pax_header, archives.gnu_header))
    name = rng.choice(("extra", "./meta.json", "/meta.json", "META.JSON", "meta.json/", "state.bin ", "", "a" * 99))
    choices = {
        "tar of another kind": archive_of(parts, header=header),
        "tar in another order": archive_of(rng.sample(parts, len(parts))),
        "a member twice": archive_of([*parts, some]),
        "a member missing": archive_of([part for part in parts if part is not some]),
        "a member too many": archive_of([*parts, Part(name, b"x")]),
        "a member renamed": archive_of([Part(name, part.data) if part is some else part for part in parts]),
        "the end of the tar": zipped(tar_of(parts, end=bytes(end))),
        "bytes behind the tar": zipped(tar_of(parts) + rng.choice((b"x", bytes(512), b"x" * 512))),
        "padding that is not zero": zipped(tar_of(parts).replace(b"\n" + bytes(64), b"\n" + b"p" * 64, 1)),
        "the tar cut": zipped(tar_of(parts)[: -rng.randrange(1, 1400)]),
    }
    word = rng.choice(sorted(choices))
    return word, choices[word]


def tar_pax(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """An extended header in front of a member."""
    parts = parts_of(archive)
    some = rng.choice(parts)
    pairs = [
        *(
            f"path={some.name}",
            "path=other",
            "path=",
            "size=",
            "comment=x",
            "mtime=1.5",
            "mtime=soon",
            "uid=x",
            "uid=5",
        ),
        *(f"size={len(some.data)}", f"size=+{len(some.data)}", "size=-1", "size=1", f"size={1 << 63}", "size=1.0"),
        *("GNU.sparse.major=1", "GNU.sparse.name=x", "=x", "novalue", "uname=a\0b", "a\0b=1", "linkpath=x", "atime=-1"),
    ]
    chosen = rng.choices(pairs, k=rng.choice((1, 1, 2)))
    records = b"".join(_record(pair.encode(), rng) for pair in chosen)
    kind = rng.choice((b"x", b"x", b"x", b"g", b"L"))

    def header(part: Part) -> bytes:
        block = archives.ustar_header(part)
        if part is not some:
            return block
        extended = bytearray(archives.ustar_header(Part("PaxHeaders", records)))
        extended[156:157] = kind
        return _summed(extended) + records + bytes(-len(records) % BLOCK) + block

    return "pax " + " ".join(pair.partition("=")[0].replace("\0", "?") for pair in chosen), archive_of(
        parts, header=header
    )


def sums(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Lines of SHA256SUMS."""
    lines = archives.part_of(archive, SUMS).splitlines()
    digest, _blanks, name = lines[0].partition(b"  ")
    choices = {
        "sums in another order": b"\n".join(lines[::-1]) + b"\n",
        "sums in upper case": b"\n".join([digest.upper() + b"  " + name, *lines[1:]]) + b"\n",
        "sums with other line ends": rng.choice((b"\r\n", b"\r", b"\v", b"\f", b"\x1c", b"\xc2\x85", b"\0")).join(
            [*lines, b""]
        ),
        "sums with other blanks": digest + rng.choice((b" ", b"\t", b"   ", b"", b" *", b"\xc2\xa0 ")) + name + b"\n"
        b"" + lines[1] + b"\n",
        "sums with an empty line": b"\n".join([*lines, rng.choice((b"", b"\r", b" ")), b""]),
        "sums without the last line's end": b"\n".join(lines),
        "a sum twice": b"\n".join([*lines, lines[0]]) + b"\n",
        "a wrong sum before the right one": b"\n".join([b"0" * 64 + b"  " + name, *lines]) + b"\n",
        "a wrong sum behind the right one": b"\n".join([*lines, b"0" * 64 + b"  " + name]) + b"\n",
        "a sum for a stranger": b"\n".join([*lines, digest + b"  other"]) + b"\n",
        "a sum missing": lines[rng.randrange(2)] + b"\n",
        "a sum too long": b"\n".join([digest + b"00  " + name, lines[1]]) + b"\n",
        "a sum too short": b"\n".join([digest[:-2] + b"  " + name, lines[1]]) + b"\n",
        "words behind a sum": b"\n".join([lines[0] + rng.choice((b" ", b" x", b"\tx", b" \r")), lines[1]]) + b"\n",
        "a very long line": b"\n".join([lines[0] + b" " * rng.choice((65_000, 65_536, 70_000)), lines[1]]) + b"\n",
    }
    word = rng.choice(sorted(choices))
    return word, archive_of(replaced(archive, SUMS, choices[word]))


def meta(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """The text of meta.json, with the sums put right."""
    text = archives.part_of(archive, META)
    fields = json.loads(text)
    key = rng.choice(sorted(fields))
    literal = rng.choice(_LITERALS)
    told = json.dumps(fields[key])
    pair = f'"{key}": {told}'

    def instead(other: str) -> bytes:
        plain = json.dumps(fields)
        assert pair in plain
        return plain.replace(pair, other, 1).encode("utf-8", "surrogatepass")

    choices = {
        f"meta {key} is {literal[:24]}": instead(f'"{key}": {literal}'),
        f"meta {key} is told twice": instead(f'"{key}": {rng.choice((told, literal))}, {pair}'),
        f"meta {key} in other letters": instead(f'"{rng.choice((key.lower(), key.upper()))}": {told}'),
        f"meta {key} in strange letters": instead(f'"{key.replace("S", chr(0x17F)).replace("I", chr(0x131))}": {told}'),
        f"meta lacks {key}": json.dumps({name: value for name, value in fields.items() if name != key}).encode(),
        "meta with a key more": instead(f'"Another": {literal}, {pair}'),
        "meta in another encoding": text.decode().encode(rng.choice(("utf-16", "utf-16-be", "utf-32", "utf-8-sig"))),
        "meta with bytes behind": text + rng.choice((b" \t\r\n", b"x", b"{}", b"\0", b"\v", b"\xc2\xa0")),
        "meta cut": text[: rng.randrange(len(text))],
        "meta is another value": literal.encode("utf-8", "surrogatepass"),
        "bits of meta": archives.flipped(text, rng.randrange(len(text)), rng.randrange(8)),
    }
    word = rng.choice(sorted(choices))
    return word, archive_of(mended(replaced(archive, META, choices[word]), size=False))


def state_bits(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Bits of the state, with sums that are not put right: damage on the way."""
    state = bytearray(archives.part_of(archive, STATE))
    for _time in range(rng.choice((1, 1, 2, 5))):
        state[rng.randrange(len(state))] ^= 1 << rng.randrange(8)
    return "bits of the state", archive_of(replaced(archive, STATE, bytes(state)))


def _summed(block: bytearray, rng: random.Random | None = None) -> bytes:
    block[_CHECKSUM] = b" " * 8
    total = sum(block)
    if rng is not None and rng.random() < 0.1:
        total -= 256 * sum(byte > 0x7F for byte in block)
    block[_CHECKSUM] = b"%06o\0 " % (total & 0o777777)
    return bytes(block)


def _record(pair: bytes, rng: random.Random) -> bytes:
    right = next(length for digits in range(1, 9) if len(str(length := len(pair) + 2 + digits)) == digits)
    length = rng.choice((right,) * 9 + (right + 1,))
    return b"%d %s\n" % (length, pair)


LAYERS: dict[str, list[Mutation]] = {
    "bytes": [flipped_bits, edited_bytes],
    "gzip": [gzip_form],
    "tar": [tar_bits, tar_field, tar_field, tar_form, tar_form, tar_pax],
    "sums": [sums],
    "meta": [meta],
    "damage": [state_bits],
}
