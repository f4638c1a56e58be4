# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest is passed on only if it says what the records of its archive say."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from support.states import Record, archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.copy.facts import facts_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    decode_manifest,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    ABSENT,
    MATCHES,
    STALE,
    UNREADABLE,
    ManifestMatch,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

DATA = archive_around(state_of([kv("a", b"1"), kv("b", b"2"), Record(19, {"ID": "p", "Name": "readers"})]))
DIGEST = Digest(len(DATA), hashlib.sha256(DATA).hexdigest())
ARCHIVE = read_archive([DATA])
CLUSTER = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"), "production")
MANIFEST = manifest_for(ARCHIVE, DIGEST, file="a.snap", cluster=CLUSTER, consistency=Consistency(False, 0, True))


def facts(known: Manifest | None, status: str = MATCHES) -> Any:
    return facts_of(ManifestMatch(status, known), ARCHIVE, DIGEST, cluster=CLUSTER, file="a.snap")


def test_a_manifest_that_is_right_is_passed_on_as_it_is() -> None:
    known = decode_manifest(encode_manifest(MANIFEST))
    found = facts(known)

    assert (found.is_verbatim, found.remark) == (True, None)
    assert found.manifest == known


LIES: list[tuple[str, dict[str, Any]]] = [
    ("fingerprint", {"fingerprint": Fingerprint({"KVS": TypeDigest(2, 255)})}),
    ("records", {"records": {"KVS": MANIFEST.records["KVS"]}}),
    ("user_records", {"user_records": {}}),
    ("index", {"index": MANIFEST.index + 1}),
    ("meta_id", {"meta_id": "another"}),
    ("config_kinds", {"config_kinds": ("proxy-defaults",)}),
    ("findings", {"findings": {"peering_dials": 1}}),
]


@pytest.mark.parametrize(("named", "lie"), LIES, ids=[row[0] for row in LIES])
def test_a_manifest_that_says_something_else_is_replaced(named: str, lie: dict[str, Any]) -> None:
    found = facts(replace(MANIFEST, **lie))

    assert not found.is_verbatim
    assert named in found.remark
    assert getattr(found.manifest, named) == getattr(MANIFEST, named)
    # What nobody can check is not taken from it either.
    assert not found.manifest.confirmed_by_leader
    assert found.manifest.cluster.name == "production"


@pytest.mark.parametrize("name", ["fingerprint", "config_kinds", "findings", "peerings"])
def test_what_a_manifest_of_another_version_leaves_out_is_completed(name: str) -> None:
    found = facts(replace(MANIFEST, **{name: None}))

    assert (found.is_verbatim, found.remark) == (True, None)
    assert found.manifest == MANIFEST


def test_a_token_that_expired_since_is_no_contradiction() -> None:
    assert facts(replace(MANIFEST, findings={**(MANIFEST.findings or {}), "token_expired": 3})).is_verbatim


@pytest.mark.parametrize(
    ("status", "words"), [(ABSENT, None), (UNREADABLE, "can't be read"), (STALE, "names other bytes")]
)
def test_without_a_manifest_of_its_own_an_archive_gets_one_that_no_leader_confirmed(
    status: str, words: str | None
) -> None:
    found = facts(None, status)

    assert not found.is_verbatim
    assert (found.remark is None) == (words is None)
    assert words is None or words in found.remark
    assert found.manifest.fingerprint == MANIFEST.fingerprint
    assert not found.manifest.confirmed_by_leader
