# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verifying reader: members, sums, meta.json and Size, one thing wrong at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import archives
from support.archives import META, STATE, SUMS, Part, archive_of, mended, parts_of, replaced, with_meta
from support.states import UNKNOWN, Record, archive_around, kv, state_of, with_records

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.meta import Server
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import Archive, read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.kv_prefixes import KvPrefixes

ARCHIVE = archive_around(state_of([kv("app/one", b"1"), kv("app/two", b"2")]), index=4711)
PARTS = parts_of(ARCHIVE)
META_TEXT, STATE_BYTES, SUMS_TEXT = (part.data for part in PARTS)


def read(archive: bytes) -> Archive:
    return read_archive([archive])


def fault_of(archive: bytes) -> ArchiveError:
    with pytest.raises(ArchiveError) as caught:
        read(archive)
    assert caught.value.hint
    return caught.value


def with_meta_text(text: bytes) -> bytes:
    return archive_of(mended(replaced(ARCHIVE, META, text), size=False))


def with_changed_meta(**changes: Any) -> bytes:
    return with_meta_text(with_meta(META_TEXT, **changes))


def test_what_it_says() -> None:
    meta = read(ARCHIVE).meta
    assert (meta.id, meta.index, meta.term, meta.version) == ("2-4711-1700000000000", 4711, 2, 1)
    assert meta.size == len(STATE_BYTES)
    assert meta.taken_at == 1_700_000_000
    assert meta.servers == (Server("an-id", "127.0.0.1:8300", "Voter"),)
    assert read(ARCHIVE).state.last_index == 100


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_members_in_any_order(order: tuple[int, ...]) -> None:
    assert read(archive_of(PARTS[number] for number in order)) == read(ARCHIVE)


@pytest.mark.parametrize("name", [META, STATE, SUMS])
def test_a_member_missing(name: str) -> None:
    error = fault_of(archive_of(part for part in PARTS if part.name != name))
    assert (error.fault, error.retryable) == ("truncated", True)
    assert name in error.message


@pytest.mark.parametrize("name", [META, STATE, SUMS, "extra", "./state.bin", "../state.bin", "state.bin/"])
def test_a_member_too_many(name: str) -> None:
    assert fault_of(archive_of([*PARTS, Part(name, dict(PARTS).get(name, b""))])).fault == "tar"


@pytest.mark.parametrize("name", [META, SUMS])
def test_a_member_far_too_large(name: str) -> None:
    assert fault_of(archive_of(replaced(ARCHIVE, name, bytes(2 << 20)))).fault == "tar"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        SUMS_TEXT.splitlines(keepends=True)[0],
        SUMS_TEXT.splitlines(keepends=True)[1],
        SUMS_TEXT.replace(b"state.bin", b"state.txt"),
        SUMS_TEXT.replace(b"  ", b""),
        SUMS_TEXT.replace(SUMS_TEXT[:8], b"00000000"),
        SUMS_TEXT + b"0" * 64 + b"  other\n",
        SUMS_TEXT + b"late error\n",
        SUMS_TEXT + b"\xff\xfe\n",
    ],
)
def test_sums_that_are_wrong(text: bytes) -> None:
    assert fault_of(archive_of(replaced(ARCHIVE, SUMS, text))).fault == "sums"


def test_sums_in_the_other_order() -> None:
    text = b"".join(reversed(SUMS_TEXT.splitlines(keepends=True)))
    assert read(archive_of(replaced(ARCHIVE, SUMS, text))) == read(ARCHIVE)


@pytest.mark.parametrize("size", [0, 1, len(STATE_BYTES) - 1, len(STATE_BYTES) + 1, 1 << 62, -1])
def test_a_size_that_is_wrong(size: int) -> None:
    assert fault_of(with_changed_meta(Size=size)).fault == "size"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff",
        b"[" * 100_000,
        META_TEXT.replace(b'"Index"', b'"Other"'),
        META_TEXT.replace(b"4711,", b"1e999,"),
        META_TEXT.replace(b'"Servers": [', b'"Servers": [1, '),
    ],
)
def test_a_meta_that_can_not_be_understood(text: bytes) -> None:
    assert fault_of(with_meta_text(text)).fault == "meta"


@pytest.mark.parametrize(
    "identity", ["", "x", "2-4711", "2-4711-x", "2-4711-" + "9" * 15, "2-4711-" + "9" * 400, "-1-1-1"]
)
def test_an_id_that_hides_the_time(identity: str) -> None:
    assert read(with_changed_meta(ID=identity)).meta.taken_at is None


@pytest.mark.parametrize(
    ("suffrage", "word"), [(0, "Voter"), (1, "Nonvoter"), (2, "Staging"), (3, "Unknown(3)"), (-1, "Unknown(-1)")]
)
def test_suffrages(suffrage: int, word: str) -> None:
    archive = with_changed_meta(Configuration={"Servers": [{"Suffrage": suffrage, "ID": "a", "Address": "b"}]})
    assert read(archive).meta.servers == (Server("a", "b", word),)


@pytest.mark.parametrize("configuration", [None, {}, {"Servers": None}, {"Servers": []}])
def test_no_servers(configuration: Any) -> None:
    assert read(with_changed_meta(Configuration=configuration)).meta.servers == ()


def test_what_we_do_not_know_does_no_harm() -> None:
    archive = with_records(with_changed_meta(New={"a": 1}), [Record(UNKNOWN, ["anything"])])
    assert read(archive).state.records[f"Unknown({UNKNOWN})"].count == 1


@pytest.mark.parametrize("end", range(1, 12))
def test_a_record_that_is_cut_is_not_asked_for_again(end: int) -> None:
    error = fault_of(archives.with_state(ARCHIVE, STATE_BYTES[:-end]))
    assert (error.fault, error.retryable) == ("records", False)


@pytest.mark.parametrize("change", [lambda state: state[:-3], lambda state: state[:40] + b"\xc1" * 9 + state[49:]])
def test_a_record_that_was_damaged_on_its_way_is(change: Any) -> None:
    # Sums and Size tell: what the server wrote was another state, so a second try may get it whole.
    error = fault_of(archive_of(replaced(ARCHIVE, STATE, change(STATE_BYTES))))
    assert (error.fault, error.retryable) == ("sums", True)


def test_prefixes_are_counted_when_asked_for() -> None:
    assert read(ARCHIVE).state.kv_prefixes == []
    (found,) = read_archive([ARCHIVE], kv_prefixes=KvPrefixes(1)).state.kv_prefixes
    assert (found.prefix, found.count) == ("app", 2)


def test_the_builder_writes_what_consul_writes() -> None:
    assert [part.name for part in PARTS] == [META, STATE, SUMS]
    assert set(json.loads(META_TEXT)) >= {"Version", "ID", "Index", "Term", "Configuration", "Size"}
