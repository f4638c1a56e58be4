# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive's side of a look: what is known of it with its manifest and without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.states import REGISTER, Record, archive_around, kv, packed, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore import look as _look
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.look import verify
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.sides import Source
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import source_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import digest_of

TOKEN = 17
SECRETS = {"token": "a secret", "post_restore_token": "an expired one"}


def go_time(seconds: int) -> bytes:
    return b"\1" + (seconds + 62_135_596_800).to_bytes(8, "big") + bytes(4) + b"\xff\xff"


def register(name: str, **more: Any) -> Record:
    fields = {"Address": "192.0.2.1", "Datacenter": "dc1", "ID": f"id of {name}", "Node": name, **more}
    return Record(REGISTER, dict(sorted(fields.items())))


def token(secret: str, expires: int | None = None) -> Record:
    fields = {"AccessorID": f"accessor of {secret}", "Description": "", "Policies": [], "SecretID": secret}
    return Record(TOKEN, {**fields, **({"ExpirationTime": go_time(expires)} if expires else {})})


RECORDS = [
    register("web-1"),
    register("web-1", Service={"ID": "web", "Service": "web"}),
    register("web-1", Check={"CheckID": "serfHealth", "Node": "web-1", "Status": "passing"}),
    register("web-2", Check={"CheckID": "serfHealth", "Node": "web-2", "Status": "critical"}),
    register("by-hand"),
    token("a secret"),
    token("an expired one", expires=1),
    token("another"),
    kv("a", b"1"),
]
# A map that has a key twice has no canonical form; the node in it is an agent's all the same.
TWICE = b"\x85" + b"".join(
    packed(name) + packed(value)
    for name, value in (
        ("Check", {"CheckID": "serfHealth", "Status": "passing"}),
        ("ID", "old"), ("ID", "id of twice"), ("Node", "twice"), ("Datacenter", "dc1"),
    )
)  # fmt: skip


@pytest.fixture
def src(tmp_path: Path) -> Path:
    path = tmp_path / "a.snap"
    path.write_bytes(archive_around(state_of(RECORDS)))
    return path


def describe(src: Path) -> Manifest:
    """Put the manifest beside an archive that a save would put there."""
    archive = read_archive([src.read_bytes()])
    cluster = archive.state.origin._replace(name="production")
    known = {"file": src.name, "cluster": cluster, "consistency": Consistency(False, 0, True)}
    manifest = manifest_for(archive, digest_of(str(src)), **known)  # type: ignore[arg-type]
    Path(manifest_path(str(src))).write_bytes(encode_manifest(manifest))
    return manifest


def verified(src: Path) -> Source:
    source, fault = verify(source_of(str(src)), SECRETS)
    assert source is not None
    assert fault is None
    return source


def named(source: Source) -> Source:
    """Return what is known of an archive whose manifest has the cluster's name as well."""
    origin = source.facts.origin._replace(name="production")
    return replace(source, cluster_name="production", facts=replace(source.facts, origin=origin))


def test_an_archive_is_known_by_its_records(src: Path) -> None:
    source = verified(src)
    assert (source.index, source.cluster_name) == (100, None)
    assert source.facts.agents == {"web-1": "id of web-1"}
    assert {name: agent.services for name, agent in source.agents.items()} == {"web-1": {"web"}, "web-2": set()}
    assert (source.facts.tokens, source.facts.expired) == ({"token"}, {"post_restore_token"})
    assert source.facts.holds_tokens
    assert source.facts.servers == {"an-id"}
    assert source.facts.types == {REGISTER, 2, TOKEN}


@pytest.mark.parametrize("raw", [None, TWICE], ids=["as Consul writes it", "a key twice"])
def test_a_manifest_tells_the_same_as_the_records(src: Path, raw: bytes | None) -> None:
    if raw is not None:
        src.write_bytes(archive_around(state_of(RECORDS) + bytes([REGISTER]) + raw))
    alone = verified(src)
    describe(src)
    assert verified(src) == named(alone)
    assert ("twice" in alone.facts.agents) == (raw is not None)


def test_a_long_state_is_read_in_another_process_and_tells_the_same(src: Path) -> None:
    src.write_bytes(archive_around(state_of([*RECORDS, *(kv(f"long/{n}", bytes(400_000)) for n in range(30))])))
    alone = verified(src)
    assert (alone.facts.tokens, alone.facts.agents) == ({"token"}, {"web-1": "id of web-1"})
    describe(src)
    assert verified(src) == named(alone)


@pytest.mark.parametrize("lacking", ["findings", "peerings", "config_kinds"])
def test_a_manifest_that_does_not_tell_all_is_not_enough(
    src: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    manifest = replace(describe(src), **{lacking: None})  # type: ignore[arg-type]
    Path(manifest_path(str(src))).write_bytes(encode_manifest(manifest))
    # What is read at an archive's head is read only where its records were not.
    monkeypatch.delattr(_look, "read_head")
    assert verified(src).cluster_name == "production"


def test_a_damaged_archive_is_a_fault(src: Path) -> None:
    src.write_bytes(src.read_bytes()[:-9])
    source, fault = verify(source_of(str(src)), SECRETS)
    assert source is None
    assert fault is not None
    assert fault.fault == "truncated"


def test_nobody_is_known_in_an_archive_without_records(src: Path) -> None:
    src.write_bytes(archive_around(state_of([])))
    facts = verified(src).facts
    assert (facts.agents, facts.holds_tokens, facts.tokens) == ({}, False, frozenset())
    assert facts.origin == ClusterIdentity(None, None, None)
