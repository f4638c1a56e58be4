# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of any shape: whatever stands in a field, reading ends in an ArchiveError or a less precise answer.

Records are read before the sums are known, so a flipped bit may turn any of them into anything.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from support.archives import STATE, archive_of, flipped, part_of, replaced
from support.states import Record, archive_around, kv, node, packed, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.across_versions import (
    Baseline,
    CrossVersionCheck,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_diff import (
    RecordCollector,
    Selection,
    compare_records,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.versions import (
    order_key,
    series_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.assertions import (
    assertion_from,
    judged,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import Archive, read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.kv_prefixes import KvPrefixes
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.restore_facts import read_head

NOW = 1_800_000_000.0
ID = "8f246b77-f3e1-ff88-5b48-8ec93abf3e05"
TIME = b"\1" + (63_900_000_000).to_bytes(8, "big") + bytes(4) + b"\xff\xff"
RAFT = {"CreateIndex": 5, "ModifyIndex": 6}


def nested(depth: int) -> Any:
    value: Any = {}
    for _level in range(depth):
        value = {b"x": value}
    return value


ODD: list[Any] = [
    *(None, True, 0, -1, 7, (1 << 64) - 1, 1.5, b"", b"x", b"\xff", "\u00b2", b"x" * 40, TIME, TIME[:9]),
    *([], [None], [7], [b"x"], [{}], [[]], {}, {b"x": 1}, {1: 2}, {b"ID": 7}, {b"Name": b"x"}, [{b"ID": []}]),
    *(nested(40), nested(450)),
]


def field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def entry(kind: str, **fields: Any) -> list[Any]:
    return [kind, {"Datacenter": "dc1", "Entry": {"Kind": kind, **fields, **RAFT}, "Op": "set"}]


SERVICE = {"ID": "web-1", "Meta": {"version": "1.22.7"}, "Service": "consul", "Port": 80, **RAFT}
CHECK = {"CheckID": "serfHealth", "Node": "db", "Status": "passing", **RAFT}
SOURCE = {"Action": "allow", "LegacyID": ID, "LegacyMeta": {"a": "b"}, "Name": "web"}
INTENTION = {"Action": "allow", "DestinationName": "db", "ID": ID, "Meta": {"a": "b"}, "SourceName": "web", **RAFT}
SAMPLES: list[tuple[int, Any]] = [
    (0, {**node("db").value, "NodeMeta": {"rack": "7"}, **RAFT}),
    (0, {**node("db").value, "Service": SERVICE}),
    (0, {**node("db").value, "Check": CHECK, "PeerName": ""}),
    (2, {"CreateIndex": 5, "Flags": 0, "Key": "a/b", "LockIndex": 0, "ModifyIndex": 6, "Session": "", "Value": "v"}),
    (3, {"ID": ID, "Node": "db", "Behavior": "release", **RAFT}),
    (4, {"ID": ID, "Name": "old", "Rules": ""}),
    (5, {"Key": "gone", "Value": None}),
    (6, [{"Coord": {"Vec": [1.0]}, "Node": "db", "Segment": ""}]),
    (7, {"ID": ID, "Name": "nearest", "Service": {"Service": "web"}, **RAFT}),
    (9, {"CleanupDeadServers": True, **RAFT}),
    (12, INTENTION),
    (13, {"Active": True, "ExternalTrustDomain": ID, "ID": "aa", "NotAfter": TIME, **RAFT}),
    (14, {"ID": "cert", "PrivateKey": "k", "RootCert": "c", **RAFT}),
    (15, {"ClusterID": ID, "Config": {"x": 1}, "Provider": "consul", **RAFT}),
    (16, {"Key": "kvs", "Value": 3}),
    (17, {"AccessorID": ID, "ExpirationTime": TIME, "Policies": [{"ID": ID}], "SecretID": "s", **RAFT}),
    (17, {"AccessorID": "", "Description": "Master Token", "Policies": [{"ID": ID}], "SecretID": "s", **RAFT}),
    (19, {"ID": ID, "Name": "readers", "Rules": "", **RAFT}),
    (22, entry("service-defaults", Name="web")),
    (22, entry("service-intentions", Name="db", Sources=[SOURCE])),
    (23, {"ID": ID, "Name": "operators", **RAFT}),
    (25, {"AuthMethod": "k8s", "ID": ID, **RAFT}),
    (27, {"Name": "k8s", "Type": "jwt", **RAFT}),
    (29, {"ChunkMap": {}}),
    (30, {"Datacenter": "", "Op": "upsert", "State": {"Datacenter": "dc1"}}),
    (31, {"Key": "x", "Value": "y", **RAFT}),
    (32, {"IP": b"\xf0\0\0\1", "Service": {"Peer": "", "ServiceName": {"Name": "api"}}, **RAFT}),
    (33, {"IP": b"\xf0\0\0\7", "IsCounter": False}),
    (35, field(1, b"id") + field(2, b"east") + field(5, field(1, b"k")) + bytes([11 << 3, 7])),
    (38, field(1, b"domain") + field(2, b"east")),
    (40, field(1, b"id") + field(2, field(1, b"secret"))),
    (42, field(1, field(2, b"web") + field(3, field(1, b"auth")))),
    (99, {"Name": "x"}),
]
NAMES = [f"{type_id} at {number}" for number, (type_id, _value) in enumerate(SAMPLES)]


def record(type_id: int, value: Any) -> Record:
    if type_id == 22 and isinstance(value, list):
        return Record(type_id, b"".join(packed(one) for one in value))
    return Record(type_id, value)


GOOD = archive_around(state_of(record(type_id, value) for type_id, value in SAMPLES))


def holders(value: Any) -> Iterator[list[Any]]:
    """Yield the way to each value inside a value, that to itself first."""
    yield []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        for way in holders(inner):
            yield [key, *way]


def changed(value: Any, way: list[Any], odd: Any) -> Any:
    if not way:
        return odd
    value = copy.deepcopy(value)
    holder = value
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = odd
    return value


def without(value: Any, way: list[Any]) -> Any:
    value = copy.deepcopy(value)
    holder = value
    for key in way[:-1]:
        holder = holder[key]
    del holder[way[-1]]
    return value


def info(archive: bytes) -> Archive:
    return read_archive([archive], kv_prefixes=KvPrefixes(2))


def across(archive: bytes) -> None:
    for one, other in ((archive, GOOD), (GOOD, archive)):
        for versions in (True, False):
            learned = Baseline(versions)
            read_archive([one], visitor=learned)
            compared = CrossVersionCheck(learned)
            read_archive([other], visitor=compared)
            compared.differing(NOW)


def difference(archive: bytes) -> None:
    rows = []
    for one in (archive, GOOD):
        collector = RecordCollector(Selection(volatile=True))
        read_archive([one], visitor=collector)
        rows.append(collector.complete())
    compare_records(rows[0], rows[1], limit=5)


def head(archive: bytes) -> None:
    read_head([archive], counts={"Register": 10_000}, secrets={"a": "s"}, now=NOW)


def odd_state(type_id: int, value: Any) -> bytes:
    """Return a state in which each value of a record is odd in all ways, or missing, one record a way."""
    ways = list(holders(value))
    odd = [record(type_id, changed(value, way, one)) for way in ways for one in ODD]
    return state_of(odd + [record(type_id, without(value, way)) for way in ways if way])


@pytest.mark.parametrize("look", [info, across, difference, head], ids=lambda look: str(look.__name__))
@pytest.mark.parametrize(("type_id", "value"), SAMPLES, ids=NAMES)
def test_any_value_in_any_field(type_id: int, value: Any, look: Any) -> None:
    look(archive_around(odd_state(type_id, value)))


def test_a_bit_flipped_in_a_state_is_damage_that_a_second_try_may_mend() -> None:
    chance, state = random.Random(5), part_of(GOOD, STATE)
    for _case in range(600):
        spoilt = flipped(state, chance.randrange(len(state)), chance.randrange(8))
        archive = archive_of(replaced(GOOD, STATE, spoilt))
        with pytest.raises(ArchiveError) as caught:
            info(archive)
        assert (caught.value.fault, caught.value.retryable) == ("sums", True)


def test_bits_flipped_where_the_sums_agree_are_read_or_refused() -> None:
    chance, state = random.Random(6), part_of(GOOD, STATE)
    for _case in range(150):
        spoilt = flipped(state, chance.randrange(len(state)), chance.randrange(8))
        for look in (info, across, difference, head):
            try:
                look(archive_around(spoilt))
            except ArchiveError:
                continue


def test_a_key_that_can_not_be_read_is_counted_by_its_bytes() -> None:
    one = info(archive_around(state_of([kv("a", b"1"), Record(2, {"Key": 7, "Value": b"x"})])))
    other = info(archive_around(state_of([kv("a", b"1"), Record(2, {"Key": 7, "Value": b"y"})])))
    assert one.state.records["KVS"].count == 2
    assert one.state.kv_prefixes[0].count == 1
    assert one.state.fingerprint != other.state.fingerprint


@pytest.mark.parametrize("version", ["\u00b2.8", "1." + "9" * 5000, "1.\u0661", ""])
def test_versions_that_are_none(version: str) -> None:
    assert order_key(version) < order_key("9.0.0")
    assert series_of(version) is None


ANSWERS: list[Any] = [None, 7, "x", {}, {"a": 1}, [], [None], [7], [[]], [{}], [{"Name": 7}], True]
ASKED = [{"kv_key": "a"}, {"kv_prefix": "a"}, {"service": "a"}, {"policy": "a"}, {"token_accessor": "a"}]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: next(iter(asked)))
def test_answers_of_any_shape_are_judged(asked: dict[str, str]) -> None:
    for answer in ANSWERS:
        judged(assertion_from(asked), answer)
