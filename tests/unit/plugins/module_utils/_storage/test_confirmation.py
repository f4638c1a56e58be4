# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Later notes that an archive's content is still the cluster's: their names, and which of them counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.confirmation import (
    LIMIT,
    Confirmation,
    archive_confirmed_by,
    by_archive,
    confirmation_name,
    counts,
    decode_confirmation,
    encode_confirmation,
    merged,
    to_read,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

from .test_store import OURS, manifest_of

NOW = from_text("2026-11-26T00:00:00Z")
DAY = 86_400.0
ARCHIVE = "dc1-20261123T021500Z-3135.snap"
MANIFEST = manifest_of(b"data", taken_at=NOW - 3 * DAY)
GOOD = Confirmation(MANIFEST.sha256, NOW - 60, OURS)


def test_it_is_named_after_its_archive_and_its_time() -> None:
    assert confirmation_name(ARCHIVE, NOW) == f"{ARCHIVE}.confirmed-20261126T000000Z"
    assert archive_confirmed_by(f"{ARCHIVE}.confirmed-20261126T000000Z") == ARCHIVE
    for other in (
        ARCHIVE,
        f"{ARCHIVE}.confirmed-",
        f"{ARCHIVE}.confirmed-20261126T000000",
        ".confirmed-20261126T000000Z",
    ):
        assert archive_confirmed_by(other) is None
    # The thirtieth of February, and digits that are not ASCII.
    assert archive_confirmed_by("a.confirmed-20260230T000000Z") is None
    assert archive_confirmed_by("a.confirmed-\uff12\uff10261126T000000Z") is None


def test_the_newest_are_read_first_and_only_a_few() -> None:
    names = [confirmation_name("a", NOW - hours * 3600) for hours in range(9)]
    found = by_archive([*reversed(names), confirmation_name("b", NOW), "a", "a.manifest.json"])
    assert found == {"a": names, "b": [confirmation_name("b", NOW)]}
    assert to_read(names, NOW) == names[:3]
    # One that lies far ahead hides none of the others.
    ahead = confirmation_name("a", NOW + 9 * DAY)
    assert to_read([ahead, *names], NOW) == names[:3]


def test_what_is_written_is_read() -> None:
    assert decode_confirmation(encode_confirmation(GOOD)) == GOOD
    assert json.loads(encode_confirmation(GOOD)) == {
        "schema": "disaster_recovery.consul/confirmation",
        "version": 1,
        "archive": {"sha256": MANIFEST.sha256},
        "confirmed_at": "2026-11-25T23:59:00Z",
        "cluster": OURS.as_json(),
    }


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encode_confirmation(GOOD)), **changes}).encode()


HOSTILE = {
    "nothing": b"",
    "a list": b"[]",
    "too long": encode_confirmation(GOOD) + b" " * LIMIT,
    "deep": b"[" * 60_000,
    "another schema": changed(schema="disaster_recovery.consul/manifest"),
    "another version": changed(version=2),
    "no archive": changed(archive=None),
    "a number for a checksum": changed(archive={"sha256": 7}),
    "a number for a time": changed(confirmed_at=1e308),
    "a year that is none": changed(confirmed_at="0000-00-00T00:00:00Z"),
    "text for servers": changed(cluster={**OURS.as_json(), "servers": "s1"}),
    "half a character": changed(cluster={**OURS.as_json(), "name": "\ud800"}),
    "more than is known": changed(cluster={**OURS.as_json(), "owner": "x"}),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_one_is_refused(text: bytes) -> None:
    with pytest.raises(SnapshotError, match="the confirmation"):
        decode_confirmation(text)


OTHERS = {
    "of other bytes": (GOOD._replace(sha256="ab" * 32), NOW - 60),
    "of another time than its name": (GOOD, NOW - 61),
    "far ahead": (GOOD._replace(confirmed_at=NOW + 2 * DAY), NOW + 2 * DAY),
    "of another datacenter": (GOOD._replace(cluster=OURS._replace(datacenter="dc2")), NOW - 60),
    "of another id": (GOOD._replace(cluster=OURS._replace(id="theirs")), NOW - 60),
}


@pytest.mark.parametrize(("confirmation", "time_in_name"), OTHERS.values(), ids=OTHERS)
def test_which_one_does_not_count(confirmation: Confirmation, time_in_name: float) -> None:
    assert counts(GOOD, confirmation_name(ARCHIVE, NOW - 60), MANIFEST, NOW)
    assert not counts(confirmation, confirmation_name(ARCHIVE, time_in_name), MANIFEST, NOW)


def test_a_name_may_be_given_and_not_changed() -> None:
    named = replace(MANIFEST, cluster=OURS._replace(name="production"))
    staging = GOOD._replace(cluster=OURS._replace(name="staging"))
    place = confirmation_name(ARCHIVE, NOW - 60)
    assert counts(staging, place, MANIFEST, NOW)
    assert not counts(staging, place, named, NOW)
    assert merged(MANIFEST, staging, NOW).cluster.name == "staging"


def test_of_a_sealed_archive_the_stored_bytes_are_named() -> None:
    sealed = replace(MANIFEST, sealed=Digest(9, "cd" * 32))
    place = confirmation_name(ARCHIVE, NOW - 60)
    assert not counts(GOOD, place, sealed, NOW)
    assert counts(GOOD._replace(sha256="cd" * 32), place, sealed, NOW)


@pytest.mark.parametrize(
    ("own", "after"),
    [
        ({"confirmed_at": NOW - 500}, NOW - 60),
        ({"confirmed_at": NOW - 5}, NOW - 5),
        ({"confirmed_at": NOW + 9 * DAY}, NOW - 60),
        ({"confirmed_at": NOW - 5, "confirmed_by_leader": False}, NOW - 60),
    ],
)
def test_the_later_time_counts(own: dict[str, Any], after: float) -> None:
    manifest = merged(replace(MANIFEST, **own), GOOD, NOW)
    assert (manifest.confirmed_at, manifest.confirmed_by_leader) == (after, True)


def test_the_cluster_is_the_one_that_confirmed_it() -> None:
    known = ClusterIdentity("dc1", None, "1.21.0", ("s0", "s1"), "production")
    today = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"), "production")
    manifest = merged(replace(MANIFEST, cluster=known), GOOD._replace(cluster=today), NOW)
    assert manifest.cluster == ClusterIdentity("dc1", "an-id", "1.21.0", ("s1", "s2"), "production")
