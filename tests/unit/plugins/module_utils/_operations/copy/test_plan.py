# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives are there already, and what a copy is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.copy.plan import (
    Wanted,
    free_name,
    holding,
    names_archive,
    require_store,
    wanted,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import Consistency, Manifest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import Entry
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

NAMELESS = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1",))
NAMED = NAMELESS._replace(name="production")
MANIFEST = Manifest(
    file="a.snap",
    size=10,
    sha256="ab" * 32,
    meta_id="2-42-1700000000000",
    index=42,
    taken_at=1_700_000_000.0,
    confirmed_at=1_700_000_000.0,
    cluster=NAMED,
    consistency=Consistency(False, 0, True),
    fingerprint=None,
    records={},
    user_records={},
)


@pytest.mark.parametrize(
    ("src", "is_directory", "expected"),
    [
        ("s3://b/x.snap", False, True),
        ("s3://b/consul/x.snap.age", False, True),
        ("s3://b/consul", False, False),
        ("s3://b/consul/", False, False),
        ("s3://b", False, False),
        ("s3://b/x.snap/", False, False),
        ("/var/backups", True, False),
        ("/var/backups/x", False, True),
    ],
)
def test_a_url_names_an_archive_by_its_ending(src: str, is_directory: bool, expected: bool) -> None:
    assert names_archive(parse_location(src, "src"), is_directory=is_directory) is expected


@pytest.mark.parametrize("dest", ["s3://b/x.snap", "gs://b/p/x.snap.age"])
def test_a_destination_in_a_bucket_is_a_store(dest: str) -> None:
    with pytest.raises(OptionError, match="names an archive"):
        require_store(parse_location(dest, "dest"))


@pytest.mark.parametrize("dest", ["s3://b/x.snap/", "s3://b", "s3://b/consul", "/var/x.snap"])
def test_other_destinations_are_accepted(dest: str) -> None:
    require_store(parse_location(dest, "dest"))


NAMES = [
    ("a.snap", False, "a.snap", False),
    ("a.snap", True, "a.snap.age", True),
    ("a.snap.age", False, "a.snap.age", True),
    ("a.snap.age", True, "a.snap.age", True),
    ("old-backup", True, "old-backup.age", True),
]


@pytest.mark.parametrize(("name", "seals", "expected", "sealed"), NAMES)
def test_a_copy_keeps_its_name_but_for_the_ending(name: str, seals: bool, expected: str, sealed: bool) -> None:
    assert wanted(name, None, NAMED, seals=seals, called=None) == Wanted(expected, None, NAMED, sealed)


def test_an_archive_without_a_name_is_copied_under_the_one_that_was_given() -> None:
    assert wanted("a.snap", None, NAMELESS, seals=False, called="staging").cluster.name == "staging"
    assert wanted("a.snap", None, NAMED, seals=False, called="staging").cluster.name == "production"


def entry(**changes: Any) -> Entry:
    return Entry("/there/a.snap", replace(MANIFEST, **changes))


@pytest.mark.parametrize(
    ("there", "is_held"),
    [
        (entry(), True),
        (entry(sha256="cd" * 32), False),
        (entry(cluster=NAMED._replace(name="staging")), False),
        (entry(cluster=NAMELESS), False),
        (entry(cluster=NAMED._replace(servers=("s2",))), True),
        (entry(sealed=Digest(12, "ef" * 32)), False),
    ],
)
def test_an_archive_is_there_by_its_plain_bytes_its_cluster_and_its_seal(there: Entry, is_held: bool) -> None:
    copy = Wanted("a.snap", MANIFEST.sha256, NAMED, sealed=False)

    assert holding([there], copy, MANIFEST.sha256) == ([there] if is_held else [])


def test_a_sealed_copy_is_there_only_sealed() -> None:
    copy = Wanted("a.snap.age", MANIFEST.sha256, NAMED, sealed=True)
    sealed = entry(sealed=Digest(12, "ef" * 32))

    assert holding([entry(), sealed], copy, MANIFEST.sha256) == [sealed]


def test_nothing_is_there_as_long_as_the_checksum_is_not_known() -> None:
    assert holding([entry()], Wanted("a.snap", None, NAMED, sealed=False), None) == []


FREE = [
    (set(), "a.snap", "a.snap"),
    ({"a.snap"}, "a.snap", "a-2.snap"),
    ({"a.snap", "a-2.snap"}, "a.snap", "a-3.snap"),
    ({"a.snap.manifest.json"}, "a.snap", "a-2.snap"),
    ({"a.snap.manifest.json.sig"}, "a.snap", "a-2.snap"),
    ({"a.snap.age"}, "a.snap", "a.snap"),
    ({"a.snap.age"}, "a.snap.age", "a-2.snap.age"),
    ({"backup"}, "backup", "backup-2"),
]


@pytest.mark.parametrize(("taken", "name", "expected"), FREE)
def test_a_name_that_is_in_use_gets_a_number(taken: set[str], name: str, expected: str) -> None:
    assert free_name(name, taken) == expected
