# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the rows of the corpus that are made of made-up records: ``python -m fuzz.rows``.

Verdicts come from our reader and a real server, as they are now; what a change alters shows in the diff of the files.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from support import archives
from support.archives import BLOCK, META, SUMS, Part, archive_of, mended, parts_of, replaced, tar_of, with_meta, zipped
from support.states import Record, archive_around, kv, node, packed, state_of

from .cases import Case
from .corpus import DIRECTORY, word_of
from .reader import Reader
from .servers import Judge

BASE = archive_around(state_of([node("db"), kv("a", b"1")]))
PARTS = parts_of(BASE)
META_TEXT, SUMS_TEXT = archives.part_of(BASE, META), archives.part_of(BASE, SUMS)
LINES = SUMS_TEXT.splitlines()
ID = "8f246b77-f3e1-ff88-5b48-8ec93abf3e05"
NESTED = b"\x0a\x24" + ID.encode() + b"\x12\x04east" + b"\x8a\x01\x03\x12\x01\xff"


class Recipe(NamedTuple):
    """A row before it is judged."""

    name: str
    archive: bytes
    why: str


def _meta(text: bytes) -> bytes:
    return archive_of(mended(replaced(BASE, META, text), size=False))


def _told(**changes: Any) -> bytes:
    return _meta(with_meta(META_TEXT, **changes))


def meta() -> Iterator[Recipe]:
    """Yield what is to be said of meta.json."""
    deadly = "Close to 2**64 a leader can't read its own log afterwards; nothing honest comes near the upper half."
    for shift, word in ((63, "2**63"), (64, "2**64-3")):
        yield Recipe(f"index {word}", _told(Index=(1 << shift) - 3 * (shift == 64)), deadly)
    yield Recipe(
        "the largest index that is taken", _told(Index=(1 << 63) - 1 - (1 << 20)), "The other side of the line."
    )
    strict = "Go's decoder takes a number for no other type."
    yield Recipe("index as text", _told(Index="100"), strict)
    yield Recipe("index with a fraction", _meta(META_TEXT.replace(b'"Index": 100', b'"Index": 100.0')), strict)
    yield Recipe("index of minus zero", _meta(META_TEXT.replace(b'"Index": 100', b'"Index": -0')), strict)
    yield Recipe("version 0", _told(Version=0), "raft can store version 1 only.")
    yield Recipe("version 2", _told(Version=2), "raft can store version 1 only.")
    yield Recipe("a byte order mark", _meta(b"\xef\xbb\xbf" + META_TEXT), "Go's decoder knows UTF-8 alone.")
    yield Recipe("keys in lower case", _meta(META_TEXT.replace(b'"Index"', b'"index"')), "Go matches keys in any case.")
    doubled = META_TEXT.replace(b'"Index": 100', b'"Index": 7, "Index": 100')
    yield Recipe("a key twice", _meta(doubled), "Consul takes the last; it never writes such, so it is refused.")
    lacking = {key: value for key, value in json.loads(META_TEXT).items() if key != "Index"}
    yield Recipe("a key missing", _meta(json.dumps(lacking).encode()), "Consul takes zero; it never writes such.")
    yield Recipe("peers that are a list", _told(Peers=[1, 2]), "Consul takes bytes so as well; it never writes such.")


def sums() -> Iterator[Recipe]:
    """Yield what is to be said of SHA256SUMS."""
    go = "Go's scanner ends lines at a line feed, and takes one carriage return before it."
    for name, end in (("carriage returns", b"\r"), ("line ends of Windows", b"\r\n"), ("form feeds", b"\f")):
        yield Recipe(f"sums with {name}", archive_of(replaced(BASE, SUMS, end.join([*LINES, b""]))), go)
    wrong = b"\n".join([b"0" * 64 + b"  meta.json", *LINES, b""])
    yield Recipe("a wrong sum before the right one", archive_of(replaced(BASE, SUMS, wrong)), "Each line has to agree.")
    behind = b"\n".join([LINES[0] + b" words", LINES[1], b""])
    yield Recipe("words behind a sum", archive_of(replaced(BASE, SUMS, behind)), "Consul never writes such.")
    empty = SUMS_TEXT + b"\n"
    yield Recipe("an empty line", archive_of(replaced(BASE, SUMS, empty)), "Consul refuses it.")


def _field(start: int, end: int, value: bytes) -> bytes:
    def header(part: Part) -> bytes:
        block = bytearray(archives.ustar_header(part))
        if part is PARTS[0]:
            block[start:end] = value.ljust(end - start, b"\0")
        return _summed(block)

    return archive_of(PARTS, header=header)


def _summed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _extended(record: bytes) -> bytes:
    block = bytearray(archives.ustar_header(Part("PaxHeaders", record)))
    block[156:157] = b"x"
    return zipped(_summed(block) + record + bytes(-len(record) % BLOCK) + tar_of(PARTS))


def tar() -> Iterator[Recipe]:
    """Yield what is to be said of the tar."""
    octal = f"{len(PARTS[0].data):o}".encode()
    numbers = "Go takes octal digits between blanks and zeros, or base 256."
    for prefix in (b"0o", b"+", b"-"):
        yield Recipe(f"a size with {prefix.decode()}", _field(124, 136, prefix + octal), numbers)
    yield Recipe("a negative size", _field(124, 136, b"\xff" * 12), "It once sent the reader back for ever.")
    yield Recipe(
        "a size of 2**63", _field(124, 136, b"\x80" + bytes(3) + b"\x80" + bytes(7)), "Go's sizes have 63 bits."
    )
    yield Recipe("half a zero block", zipped(tar_of(PARTS, end=bytes(BLOCK + 100))), "Consul refuses it.")
    yield Recipe("no end", zipped(tar_of(PARTS, end=b"")), "Consul accepts it.")
    yield Recipe("a name in an extended header", _extended(b"14 path=other\n"), "Go honours it: the file is unknown.")
    yield Recipe("a size in an extended header", _extended(b"11 size=-9\n"), "Go honours it: the size is negative.")
    yield Recipe("a directory", _field(156, 157, b"5"), "It has no content to Go; Consul never writes such.")


def wrapped() -> Iterator[Recipe]:
    """Yield what is to be said of gzip."""
    body = tar_of(PARTS)
    plain = gzip.compress(body, mtime=0)
    for length in (511, 512):
        named = plain[:3] + b"\x08" + plain[4:10] + b"x" * length + b"\0" + plain[10:]
        yield Recipe(f"a name of {length} bytes", named, "Go takes a name of 511 bytes at most.")
    yield Recipe("two streams", zipped(body[:700]) + zipped(body[700:]), "They are one to Go as well.")
    late = plain + b"rpc error: late"
    yield Recipe("a late error behind it", late, "What Consul appends to a 200 when a save fails late.")
    trailer = struct.pack("<II", zlib.crc32(body) ^ 1, len(body))
    yield Recipe("a wrong checksum", plain[:-8] + trailer, "Damage on the way.")


def _query(regexp: bytes, service: str) -> dict[str, Any]:
    template = {"Type": "name_prefix_match", "Regexp": regexp}
    return {"ID": ID, "Name": "q", "Service": {"Service": service}, "Template": template}


def records() -> Iterator[Recipe]:
    """Yield what is to be said of the records: each of these ended a server, and verified."""
    made_up: list[tuple[str, list[Record]]] = [
        ("a key that is nil", [Record(2, None)]),
        *(
            (f"a query whose template has {what}", [Record(7, _query(regexp, service))])
            for what, regexp, service in (
                ("a regular expression that is not UTF-8", b"(\xff?)$", "web"),
                ("a regular expression without its end", b"^(a$", "web"),
                ("a regular expression that repeats nothing", b"^a|*$", "web"),
                ("a regular expression that repeats a repetition", b"^a**$", "web"),
                ("a regular expression that repeats too often", b"^a{1001}$", "web"),
                ("a regular expression with a range backwards", b"^[z-a]$", "web"),
                ("a regular expression that looks ahead", b"^a(?=b)$", "web"),
                ("a regular expression that refers back", rb"^(a)\1$", "web"),
                ("a regular expression whose group has no name", b"^(?P<>a)$", "web"),
                ("a regular expression that ends with a backslash", b"^a\\", "web"),
                ("an interpolation without its end", b"", "${name.full"),
                ("an interpolation of nothing", b"", "a-${ }"),
                ("a variable that there is not", b"", "${name.whole}"),
                ("a function that there is not", b"", "${math(1)}"),
                ("a function without an argument", b"", "${match()}"),
                ("a parenthesis without its end", b"", "${match(1}"),
                ("two values in a row", b"", "${name.full name.prefix}"),
                ("an operator without a value", b"", "${1 +}"),
            )
        ),
        ("a key without a name", [Record(2, {"Key": "", "Value": b"x", "Flags": 0})]),
        ("an index whose value is text", [Record(16, {"Key": "kvs", "Value": "x"})]),
        (
            "a field of no definition with a map of numbers",
            [Record(3, {"ID": ID, "Node": "db", "Another": {1: 2}})],
        ),
        ("a session without an id", [Record(3, {"ID": "", "Node": "db"})]),
        ("a query whose id is no uuid", [Record(7, {"ID": "x", "Name": "q"})]),
        ("a policy whose datacenters are text", [Record(19, {"ID": ID, "Name": "p", "Datacenters": "x"})]),
        ("a node that is a list", [Record(0, [1, 2])]),
        (
            "a check of another node",
            [Record(0, {"Node": "db", "Address": "x", "Check": {"Node": "y", "CheckID": "c"}})],
        ),
        *(
            (f"a check{what}", [Record(0, {"Node": "db", "Address": "x", **checks})])
            for what, checks in (
                (" without a node", {"Check": {"CheckID": "c"}}),
                (" without an id", {"Check": {"Node": "db"}}),
                (" in a list, without a node", {"Checks": [{"CheckID": "c"}]}),
                (" in a list, of another node", {"Checks": [{"Node": "y", "CheckID": "c"}]}),
                (" in a list, without its service", {"Checks": [{"Node": "db", "CheckID": "c", "ServiceID": "s"}]}),
            )
        ),
        ("a peering that is no protobuf", [Record(35, b"\xff\xff")]),
        ("a resource whose id is text", [Record(42, b"\x0a\x24" + ID.encode())]),
        ("a peering's remote with a text that is no UTF-8", [Record(35, NESTED)]),
        ("a config entry of a kind that is none", [Record(22, packed("nothing") + packed({"Entry": {}}))]),
        ("a config entry without an entry", [Record(22, packed("mesh") + packed({"Op": ""}))]),
        ("a token without an accessor", [Record(17, {"SecretID": ID, "AccessorID": ""})]),
        ("a type that nobody has", [Record(99, {"Name": "x"})]),
    ]
    for name, some in made_up:
        yield Recipe(
            name, archive_around(state_of([node("db"), kv("a", b"1"), *some])), "A server ends, and ends again."
        )


LAYERS = {"meta": meta, "sums": sums, "tar": tar, "gzip": wrapped, "records": records}


def main() -> None:
    """Judge all and write the files."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, Judge(Path(name)) as judge, Reader(BASE) as reader:
        for layer, recipes in LAYERS.items():
            rows = []
            for recipe in recipes():
                case = Case(-1, layer, recipe.name, 0, recipe.archive)
                reading, judged = reader.read(case.archive), judge.judge(case.archive)
                told = {"name": recipe.name, "layer": layer, "kind": recipe.name, "why": recipe.why}
                verdicts = {"ours": word_of(reading), "consul": judged.verdict}
                rows.append({**told, **verdicts, "archive": base64.b64encode(case.archive).decode()})
                print(f"{layer}: {recipe.name}: {verdicts} {judged.detail[:120]}", file=sys.stderr, flush=True)
            (DIRECTORY / f"{layer}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
