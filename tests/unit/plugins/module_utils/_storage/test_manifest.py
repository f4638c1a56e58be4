# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest as it is written, and what is none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    decode_manifest,
    encode_manifest,
)

FINGERPRINT = Fingerprint({"KVS": TypeDigest(2, 255)})
MANIFEST = Manifest(
    file="dc1-20231114T221320Z-42.snap",
    size=1000,
    sha256="ab" * 32,
    meta_id="2-42-1700000000000",
    index=42,
    taken_at=1_700_000_000.0,
    confirmed_at=1_700_000_060.0,
    cluster=ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"), "production"),
    consistency=Consistency(stale=True, last_contact_ms=7, known_leader=True),
    fingerprint=FINGERPRINT,
    records={"Index": {"count": 3, "size": 90}, "KVS": {"count": 2, "size": 200}},
    user_records={"KVS": 2},
)
DOCUMENT = {
    "schema": "disaster_recovery.consul/manifest",
    "version": 1,
    "archive": {"file": "dc1-20231114T221320Z-42.snap", "size": 1000, "sha256": "ab" * 32},
    "meta": {"id": "2-42-1700000000000", "index": 42},
    "taken_at": "2023-11-14T22:13:20Z",
    "confirmed_at": "2023-11-14T22:14:20Z",
    "cluster": {
        "name": "production",
        "datacenter": "dc1",
        "id": "an-id",
        "consul_version": "1.22.7",
        "servers": ["s1", "s2"],
    },
    "consistency": {"stale": True, "last_contact_ms": 7, "known_leader": True},
    "fingerprint": FINGERPRINT.as_json(),
    "records": {"Index": {"count": 3, "size": 90}, "KVS": {"count": 2, "size": 200}},
    "user_records": {"KVS": 2},
    "confirmed_by_leader": True,
}


def test_the_document() -> None:
    text = encode_manifest(MANIFEST)

    assert json.loads(text) == DOCUMENT
    assert text.endswith(b"}\n")


def test_there_and_back() -> None:
    assert decode_manifest(encode_manifest(MANIFEST)) == MANIFEST


def test_what_is_not_known_stays_unknown() -> None:
    unknown = replace(MANIFEST, cluster=ClusterIdentity(None, None, None), consistency=Consistency(False, None, None))

    assert decode_manifest(encode_manifest(unknown)) == unknown


def test_a_fingerprint_of_another_version_leaves_the_rest_readable() -> None:
    overall = DOCUMENT["fingerprint"]["overall"].replace("v2:", "v9:")  # type: ignore[index]  # a plain map
    found = decode_manifest(changed(fingerprint={"overall": overall, "something": "else"}))

    assert found == replace(MANIFEST, fingerprint=None)
    with pytest.raises(ValueError, match="fingerprint"):
        encode_manifest(found)


def changed(**changes: Any) -> bytes:
    return json.dumps({**DOCUMENT, **changes}).encode()


NO_MANIFESTS = {
    "nothing": b"",
    "no JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "another JSON": b'["a"]',
    "null": b"null",
    "another schema": changed(schema="something/else"),
    "a later version": changed(version=2),
    "no archive": changed(archive=None),
    "a size that is no number": changed(archive={"file": "x", "size": "many", "sha256": "y"}),
    "a time that is none": changed(taken_at="yesterday"),
    "a time without a zone": changed(confirmed_at="2023-11-14T22:14:20"),
    "a fact about the cluster too many": changed(cluster={**DOCUMENT["cluster"], "owner": "me"}),  # type: ignore[dict-item]
    "a fact about the cluster too few": changed(cluster={"datacenter": "dc1"}),
    "records of another shape": changed(records={"KVS": 2}),
    "a fingerprint that contradicts itself": changed(
        fingerprint={**FINGERPRINT.as_json(), "types": {"KVS": {"count": 3, "digest": "ff"}}}
    ),
}


@pytest.mark.parametrize("text", NO_MANIFESTS.values(), ids=NO_MANIFESTS)
def test_what_is_no_manifest_of_ours_is_refused(text: bytes) -> None:
    with pytest.raises(SnapshotError):
        decode_manifest(text)
