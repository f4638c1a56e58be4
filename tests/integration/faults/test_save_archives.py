# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A 200 that is well-formed HTTP around an archive with one thing changed; one case a row.

Consul's own reader, ``consul snapshot inspect``, is asked about the same bytes. Where it takes what we refuse, the row
says so: each of these would cost the server that loads it, or is something that no Consul writes.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support import archives
from support.answers import other
from support.archives import BLOCK, META, STATE, SUMS, Part, archive_of, mended, part_of, parts_of, replaced, with_meta
from support.faults import FaultServer
from support.scene import ONCE, RETRIED, SNAPSHOT, Saving
from support.states import UNKNOWN, Record, kv, with_records

from lab import Cluster
from lab.server import clean_environment

Change = Callable[[bytes], bytes]


class Row(NamedTuple):
    """A case. ``fault`` None: it is a whole archive. ``consul``: whether Consul's reader takes it."""

    name: str
    change: Change
    fault: str | None
    consul: bool = False
    asked: int = RETRIED


def rebuilt(change: Callable[[list[Part]], list[Part]]) -> Change:
    """Change the list of members."""
    return lambda archive: archive_of(change(parts_of(archive)))


def without(name: str) -> Change:
    """Leave a member out."""
    return rebuilt(lambda parts: [part for part in parts if part.name != name])


def twice(name: str) -> Change:
    """Repeat a member."""
    return rebuilt(lambda parts: [*parts, *(part for part in parts if part.name == name)])


def state(change: Change) -> Change:
    """Change the state, with ``Size`` and sums put right."""
    return lambda archive: archives.with_state(archive, change(part_of(archive, STATE)))


def meta(**changes: object) -> Change:
    """Change meta.json, with the sums put right."""
    return lambda archive: archive_of(
        mended(replaced(archive, META, with_meta(part_of(archive, META), **changes)), size=False)
    )


def servers(archive: bytes) -> list[dict[str, object]]:
    """Return the servers that meta.json names."""
    return list(json.loads(part_of(archive, META))["Configuration"]["Servers"])


def sums(change: Change) -> Change:
    """Change SHA256SUMS."""
    return lambda archive: archive_of(replaced(archive, SUMS, change(part_of(archive, SUMS))))


def content(name: str, change: Change) -> Change:
    """Change a member's content and put nothing right."""
    return lambda archive: archive_of(replaced(archive, name, change(part_of(archive, name))))


def last_bit(data: bytes) -> bytes:
    """The last bit of some bytes the other way round."""
    return data[:-1] + bytes([data[-1] ^ 1])


def tar(change: Change) -> Change:
    """Change the tar and zip it anew."""
    return lambda archive: archives.zipped(change(archives.tar_of(parts_of(archive))))


def named(name: str) -> Change:
    """Give the state another name."""
    return rebuilt(lambda parts: [part._replace(name=name) if part.name == STATE else part for part in parts])


def in_two_streams(archive: bytes) -> bytes:
    """One tar in two gzip streams, which a reader joins."""
    data = archives.tar_of(parts_of(archive))
    return archives.zipped(data[:BLOCK]) + archives.zipped(data[BLOCK:])


WHOLE = (
    Row("members in another order", rebuilt(lambda parts: parts[::-1]), None, consul=True),
    Row("PAX headers", lambda a: archive_of(parts_of(a), header=archives.pax_header), None, consul=True),
    Row("GNU base-256 headers", lambda a: archive_of(parts_of(a), header=archives.gnu_header), None, consul=True),
    Row("one zero block at the end", lambda a: archive_of(parts_of(a), end=bytes(BLOCK)), None, consul=True),
    Row("no zero block at the end", lambda a: archive_of(parts_of(a), end=b""), None, consul=True),
    Row("two gzip streams", in_two_streams, None, consul=True),
    Row("an unknown record type", lambda a: with_records(a, [Record(UNKNOWN, {"New": 1})]), None, consul=True),
    Row("an ID of another form", meta(ID="x"), None, consul=True),
    Row("a key more in meta.json", meta(New=[1]), None, consul=True),
    Row(
        "an unknown suffrage",
        lambda archive: meta(Configuration={"Servers": [{**one, "Suffrage": 7} for one in servers(archive)]})(archive),
        None,
        consul=True,
    ),
)
FAULTY = (
    Row("padded to 10,240 bytes", lambda a: archive_of(parts_of(a), end=bytes(10_240)), "trailing"),
    Row("text after the tar's end", tar(lambda data: data + b"late error"), "trailing"),
    Row("a member too many", rebuilt(lambda parts: [*parts, Part("extra", b"x")]), "tar"),
    Row("a member of another name", named("./state.bin"), "tar"),
    Row("no meta.json", without(META), "truncated"),
    Row("no state.bin", without(STATE), "truncated"),
    Row("no SHA256SUMS", without(SUMS), "truncated"),
    Row("meta.json twice", twice(META), "tar"),
    Row("state.bin twice", twice(STATE), "tar"),
    Row("SHA256SUMS twice", twice(SUMS), "tar", consul=True),
    Row("a damaged tar header", tar(lambda data: archives.flipped(data, 0)), "tar"),
    Row("the tar cut in a header", tar(lambda data: data[: BLOCK // 2]), "truncated"),
    Row("the tar cut in state.bin", tar(lambda data: data[: 5 * BLOCK]), "truncated"),
    Row("an empty gzip", tar(lambda _data: b""), "truncated"),
    Row("a bit of meta.json", content(META, lambda data: data.replace(b'"Term":', b'"Tern":')), "sums"),
    Row("a bit of state.bin", content(STATE, last_bit), "sums"),
    Row("a wrong sum", sums(lambda text: (b"0" if text[:1] != b"0" else b"1") + text[1:]), "sums"),
    Row("a sum missing", sums(lambda text: text.splitlines(keepends=True)[0]), "sums"),
    Row("a sum too many", sums(lambda text: text + b"0" * 64 + b"  other\n"), "sums"),
    Row("a line that is no sum", sums(lambda text: text + b"unexpected EOF\n"), "sums"),
    Row("no sums", sums(lambda _text: b""), "sums"),
    Row("Size too small", meta(Size=1), "size", consul=True),
    Row("Size too large", meta(Size=1 << 40), "size", consul=True),
    Row("meta.json without an index", meta(Index=None), "meta", consul=True),
    Row("meta.json is a list", lambda a: archive_of(mended(replaced(a, META, b"[]\n"), size=False)), "meta"),
    Row("meta.json is cut", lambda a: archive_of(mended(replaced(a, META, b'{"Index"'), size=False)), "meta"),
    Row("state.bin cut in a record", state(lambda data: data[:-3]), "records", asked=ONCE),
    Row("state.bin cut after a type", state(lambda data: data + b"\x02"), "records", asked=ONCE),
    Row("an empty state.bin", state(lambda _data: b""), "records", asked=ONCE),
    Row("no msgpack after a type", state(lambda data: data + b"\x02\xc1"), "records", asked=ONCE),
)
ROWS = [*WHOLE, *FAULTY]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_save(saving: Saving, server: FaultServer, archive: bytes, row: Row) -> None:
    sent = row.change(archive)
    # The announced index is that of the unchanged archive: all else must be what decides.
    server.on(*SNAPSHOT, other(archive, body=sent))
    outcome = saving.save()
    if row.fault is None:
        saving.check_saved(outcome, sent)
        return
    saving.check_failed(outcome, "archive")
    assert outcome.failure["fault"] == row.fault
    assert server.count(*SNAPSHOT) == row.asked


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_consul_says(consul: Cluster, archive: bytes, tmp_path: Path, row: Row) -> None:
    path = tmp_path / "changed.snap"
    path.write_bytes(row.change(archive))
    command = [str(consul.binary), "snapshot", "inspect", str(path)]
    environment = clean_environment(tmp_path)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == row.consul, done.stderr


def test_unknown_types_are_counted(saving: Saving, server: FaultServer, archive: bytes) -> None:
    server.on(*SNAPSHOT, other(with_records(archive, [Record(UNKNOWN, {"New": n}) for n in range(3)])))
    assert saving.save().result["records"][f"Unknown({UNKNOWN})"]["count"] == 3


def test_a_record_more_is_counted(saving: Saving, server: FaultServer, archive: bytes) -> None:
    server.on(*SNAPSHOT, other(with_records(archive, [kv("more", None)])))
    more = counts_of(saving.save().result)
    server.on(*SNAPSHOT, other(archive))
    assert more == {**(counts := counts_of(saving.save(force=True).result)), "KVS": counts["KVS"] + 1}


def counts_of(result: dict[str, Any]) -> dict[str, int]:
    """How many records there are, by type."""
    return {name: stats["count"] for name, stats in result["records"].items()}


FLIPS = 12


@pytest.mark.parametrize("seed", range(FLIPS))
def test_any_flipped_bit_shows(saving: Saving, server: FaultServer, archive: bytes, seed: int) -> None:
    chance = random.Random(seed)
    spoilt = archive
    while archives.same_content(archive, spoilt):
        spoilt = archives.flipped(archive, chance.randrange(len(archive)), chance.randrange(8))
    server.on(*SNAPSHOT, other(archive, body=spoilt))
    outcome = saving.save(retries=0)
    saving.check_failed(outcome, "archive")
