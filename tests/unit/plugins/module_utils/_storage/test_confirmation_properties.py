# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confirmations hold for every time and every cluster, and whatever is written in their place."""

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.confirmation import (
    Confirmation,
    archive_confirmed_by,
    by_archive,
    confirmation_name,
    counts,
    decode_confirmation,
    encode_confirmation,
    merged,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import Manifest

from .test_store import manifest_of

hypothesis = pytest.importorskip("hypothesis", reason="not among what the oldest Python is tested with")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

TIMES = st.integers(0, 4_000_000_000).map(float)
TEXTS = st.one_of(st.none(), st.text(max_size=9))
SERVERS = st.lists(st.text(min_size=1, max_size=4), max_size=3, unique=True).map(lambda names: tuple(sorted(names)))
CLUSTERS = st.builds(ClusterIdentity, TEXTS, TEXTS, TEXTS, SERVERS, TEXTS)
CONFIRMATIONS = st.builds(Confirmation, st.just(manifest_of(b"data").sha256), TIMES, CLUSTERS)


@given(CONFIRMATIONS)
def test_what_is_written_is_read(confirmation: Confirmation) -> None:
    assert decode_confirmation(encode_confirmation(confirmation)) == confirmation


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(text: bytes) -> None:
    with contextlib.suppress(SnapshotError):
        decode_confirmation(text)


@given(st.text(min_size=1, max_size=30), TIMES)
def test_a_name_tells_its_archive(archive: str, moment: float) -> None:
    assert archive_confirmed_by(confirmation_name(archive, moment)) == archive


@given(st.lists(TIMES, min_size=1, max_size=9, unique=True))
def test_names_are_in_the_order_of_their_times(times: list[float]) -> None:
    newest_first = sorted(times, reverse=True)
    assert by_archive(confirmation_name("a", time) for time in times)["a"] == [
        confirmation_name("a", time) for time in newest_first
    ]


@given(CONFIRMATIONS, CLUSTERS, TIMES, TIMES)
def test_one_that_counts_never_takes_a_time_back(
    confirmation: Confirmation, cluster: ClusterIdentity, confirmed_at: float, now: float
) -> None:
    manifest: Manifest = manifest_of(b"data", cluster=cluster, taken_at=min(confirmed_at, now))
    if counts(confirmation, confirmation_name("a", confirmation.confirmed_at), manifest, now):
        after = merged(manifest, confirmation, now)
        assert after.confirmed_at == max(manifest.confirmed_at, confirmation.confirmed_at)
        assert after.cluster.name in (manifest.cluster.name, confirmation.cluster.name)
        assert manifest.cluster.name in (None, after.cluster.name)
        # All but the confirmation is what it was.
        assert (after.taken_at, after.stored, after.fingerprint) == (
            manifest.taken_at,
            manifest.stored,
            manifest.fingerprint,
        )
