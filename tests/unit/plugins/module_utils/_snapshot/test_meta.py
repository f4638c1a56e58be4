# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""meta.json and SHA256SUMS: as strict as Consul, row by row as ``consul snapshot inspect`` and a PUT judged them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from support import archives
from support.archives import META, SUMS, archive_of, mended, replaced
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive

ARCHIVE = archive_around(state_of([kv("a", b"1")]), index=4711)
META_TEXT, SUMS_TEXT = archives.part_of(ARCHIVE, META), archives.part_of(ARCHIVE, SUMS)
FIELDS = json.loads(META_TEXT)
LINES = SUMS_TEXT.decode().splitlines()
DIGEST, NAME = LINES[0].split()
REST = f"\n{LINES[1]}\n"


def fault_of(archive: bytes) -> str:
    try:
        read_archive([archive])
    except ArchiveError as error:
        return error.fault if error.hint else "no hint"
    return ""


def meta_fault(text: bytes) -> str:
    return fault_of(archive_of(mended(replaced(ARCHIVE, META, text), size=False)))


def told(**changes: Any) -> bytes:
    return json.dumps({**FIELDS, **changes}).encode()


def instead(key: str, literal: str) -> bytes:
    return META_TEXT.replace(f'"{key}": {json.dumps(FIELDS[key])}'.encode(), literal.encode("utf-8", "surrogatepass"))


REFUSED = {
    "an index as text": told(Index="4711"),
    "an index with a fraction": instead("Index", '"Index": 4711.0'),
    "an index with an exponent": instead("Index", '"Index": 1e3'),
    "an index that is true": told(Index=True),
    "an index below zero": told(Index=-1),
    "an index of minus zero": instead("Index", '"Index": -0'),
    "an index of more than 64 bits": told(Index=1 << 64),
    "an index with a zero before it": instead("Index", '"Index": 04711'),
    "a term below zero": told(Term=-1),
    "a term as text": told(Term="2"),
    "a configuration index as text": told(ConfigurationIndex="1"),
    "a size with a fraction": instead("Size", f'"Size": {FIELDS["Size"]}.0'),
    "version 0": told(Version=0),
    "version 2": told(Version=2),
    "no version": instead("Version", '"Version": null'),
    "an id that is a number": told(ID=5),
    "not a number": told(Another=math.nan),
    "infinity": told(Another=math.inf),
    "utf-16": META_TEXT.decode().encode("utf-16"),
    "utf-32": META_TEXT.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + META_TEXT,
    "an index twice, first one bad": instead("Index", '"Index": "x", "Index": 4711'),
    "an index twice": instead("Index", '"Index": 1, "Index": 4711'),
    "an index twice in two spellings": instead("Index", '"index": 1, "Index": 4711'),
    "a size twice, in a letter that Go takes for an s": instead("Size", f'"\u017fize": "x", "Size": {FIELDS["Size"]}'),
    "a configuration that is a list": told(Configuration=[]),
    "servers that are an object": told(Configuration={"Servers": {}}),
    "a server that is nothing": told(Configuration={"Servers": [None]}),
    "a server whose id is a number": told(Configuration={"Servers": [{"Suffrage": 0, "ID": 1, "Address": "b"}]}),
    "a suffrage as text": told(Configuration={"Servers": [{"Suffrage": "0", "ID": "a", "Address": "b"}]}),
    "a suffrage that is true": told(Configuration={"Servers": [{"Suffrage": True, "ID": "a", "Address": "b"}]}),
    "peers that are a number": told(Peers=1),
    "peers that are no base64": told(Peers="?"),
    "peers without padding": told(Peers="AA"),
    "bytes behind": META_TEXT + b"x",
    "a vertical tab behind": META_TEXT + b"\v",
    "a control character": instead("ID", '"ID": "\x01"'),
    "a comma too many": META_TEXT.replace(b"}\n", b",}\n"),
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "nested deep": b"[" * 100_000,
    "null for a number": told(Term=None),
    "null for the id": told(ID=None),
    "a key missing": json.dumps({key: FIELDS[key] for key in FIELDS if key != "Term"}).encode(),
}
DEADLY = {"2**63": told(Index=1 << 63), "2**64-3": told(Index=(1 << 64) - 3), "2**64-1": told(Index=(1 << 64) - 1)}
ACCEPTED = {
    "as it is": META_TEXT,
    "keys in lower case": META_TEXT.replace(b'"Index"', b'"index"').replace(b'"Version"', b'"VERSION"'),
    "peers": told(Peers="AAAA"),
    "peers with a line break": told(Peers="AA\r\nAA"),
    "a key more": told(Another=[{"x": 1.5}]),
    "a number more that is very long": instead("Peers", '"Another": ' + "9" * 5000 + ', "Peers": null'),
    "blanks behind": META_TEXT + b" \t\r\n",
    "bytes that are no utf-8": META_TEXT.replace(b'"an-id"', b'"\xff"'),
    "half a character": META_TEXT.replace(b'"an-id"', b'"\\ud800"'),
    "the largest index": told(Index=(1 << 63) - 1),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_consul_refuses_or_never_writes(text: bytes) -> None:
    assert meta_fault(text) == "meta"


@pytest.mark.parametrize("text", DEADLY.values(), ids=DEADLY)
def test_an_index_that_kills_a_leader(text: bytes) -> None:
    assert meta_fault(text) == "meta"


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_consul_restores(text: bytes) -> None:
    assert meta_fault(text) == ""


def test_half_a_character_can_be_written_somewhere() -> None:
    archive = archive_of(mended(replaced(ARCHIVE, META, instead("ID", '"ID": "\\ud800"')), size=False))
    assert read_archive([archive]).meta.id.encode() == "\ufffd".encode()


BAD_SUMS = {
    "lines that end in a carriage return": "\r".join(LINES) + "\r",
    "lines that end in a vertical tab": "\v".join(LINES) + "\n",
    "lines that end in a form feed": "\f".join(LINES) + "\n",
    "lines that end in a next-line character": "\u0085".join(LINES) + "\n",
    "no blank": f"{DIGEST}{NAME}{REST}",
    "an empty line": f"{LINES[0]}\n{REST}",
    "an empty line at the end": SUMS_TEXT.decode() + "\n",
    "a line of a carriage return": SUMS_TEXT.decode() + "\r\n",
    "a wrong sum before the right one": f"{'0' * 64}  {NAME}\n" + SUMS_TEXT.decode(),
    "a wrong sum behind the right one": SUMS_TEXT.decode() + f"{'0' * 64}  {NAME}\n",
    "a line longer than Go reads": f"{LINES[0]}{' ' * 65_536}{REST}",
}
GOOD_SUMS = {
    "carriage returns and line feeds": "\r\n".join(LINES) + "\r\n",
    "upper case": f"{DIGEST.upper()}  {NAME}{REST}",
    "one blank": f"{DIGEST} {NAME}{REST}",
    "a tab": f"{DIGEST}\t{NAME}{REST}",
    "blanks before": f"  {LINES[0]}{REST}",
    "blanks behind": f"{LINES[0]}  {REST}",
    "the last line without an end": "\n".join(LINES),
    "a sum twice": SUMS_TEXT.decode() + LINES[0] + "\n",
}


@pytest.mark.parametrize("text", BAD_SUMS.values(), ids=BAD_SUMS)
def test_sums_that_consul_refuses(text: str) -> None:
    assert fault_of(archive_of(replaced(ARCHIVE, SUMS, text.encode()))) == "sums"


@pytest.mark.parametrize("text", GOOD_SUMS.values(), ids=GOOD_SUMS)
def test_sums_that_consul_takes(text: str) -> None:
    assert fault_of(archive_of(replaced(ARCHIVE, SUMS, text.encode()))) == ""
