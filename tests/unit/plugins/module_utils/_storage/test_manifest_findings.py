# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest keeps of the findings and peerings, so that a restore needs not read the records for them."""

from __future__ import annotations

import json

import pytest
from support.states import Record, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.finding_meanings import REVISION
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.peerings import Peering
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import Archive, Meta
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.state import StateReader
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    decode_manifest,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

SECRET = "0c0ffee0-0000-0000-0000-000000000000"


def manifest(*records: Record) -> Manifest:
    reader = StateReader()
    reader.feed(state_of(records))
    meta = Meta(id="2-42-1700000000000", index=42, term=2, version=1, size=1, taken_at=1_700_000_000.0, servers=())
    return manifest_for(
        Archive(meta, reader.finish()),
        Digest(1, "ab" * 32),
        file="a.snap",
        cluster=ClusterIdentity("dc1", "an-id", "1.22.7"),
        consistency=Consistency(False, 0, True),
    )


def changed(written: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(written), **changes}).encode()


UUID = b"6b50a97a-0ff0-909c-5dcd-58cc767aa108"
PEERING = Record(35, b"\x0a\x24" + UUID + b"\x12\x04east\x30\x03\x52\x09192.0.2.1")
ESTABLISHED = b"d3198f41-333b-344a-1a3a-2ea72305b6f0"
SECRETS = Record(40, b"\x0a\x24" + UUID + b"\x1a\x26\x0a\x24" + ESTABLISHED)
WRITTEN = encode_manifest(manifest(Record(17, {"AccessorID": "", "SecretID": SECRET}), PEERING, SECRETS))


def test_they_are_kept_by_name_and_without_a_secret() -> None:
    document = json.loads(WRITTEN)

    assert document["findings"] == [
        {"name": "token_without_accessor", "count": 1},
        {"name": "peering_dials", "count": 1},
    ]
    assert document["peerings"] == [{"id": UUID.decode(), "name": "east", "state": "ACTIVE", "dials": True}]
    assert SECRET.encode() not in WRITTEN
    assert ESTABLISHED not in WRITTEN
    read = decode_manifest(WRITTEN)
    assert read.findings == {"token_without_accessor": 1, "peering_dials": 1}
    assert read.peerings == (Peering(UUID.decode(), "east", "ACTIVE", True),)


def test_none_at_all_is_known_too() -> None:
    read = decode_manifest(encode_manifest(manifest()))

    assert (read.findings, read.peerings) == ({}, ())


def test_a_manifest_of_old_does_not_tell() -> None:
    document = json.loads(WRITTEN)
    old = {name: document[name] for name in document if name not in ("findings", "findings_revision", "peerings")}
    read = decode_manifest(json.dumps(old).encode())

    assert (read.findings, read.peerings) == (None, None)


def test_findings_of_another_revision_are_not_relied_on() -> None:
    assert decode_manifest(changed(WRITTEN, findings_revision=REVISION + 1)).findings is None
    assert decode_manifest(changed(WRITTEN, findings_revision=None)).findings is None


@pytest.mark.parametrize(
    "told", [{"findings": [1]}, {"findings": 5}, {"findings": [{"name": "x"}]}, {"peerings": [{}]}]
)
def test_what_is_none_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(SnapshotError):
        decode_manifest(changed(WRITTEN, **told))
