# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What objects of Google Cloud Storage say, as values."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends import gcs_values as values
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.protocol import Item

NOW = datetime.datetime(2026, 11, 26, 10, 0, tzinfo=datetime.timezone.utc)
LATER = NOW + datetime.timedelta(days=3)
CRC32C_OF_ABC = "Nks/tw=="
"""364b3fb7, the published value."""


def blob(**changed: Any) -> Any:
    """Return an object as the SDK describes it."""
    own = {
        "name": "pre/x",
        "size": 3,
        "generation": 17,
        "time_created": NOW,
        "metadata": None,
        "retention": SimpleNamespace(mode=None, retain_until_time=None),
        "retention_expiration_time": None,
        "temporary_hold": None,
        "event_based_hold": None,
    }
    return SimpleNamespace(**{**own, **changed})


def test_properties() -> None:
    assert values.properties_of(blob()) == (3, NOW.timestamp(), "17", None, None, None, False)


@pytest.mark.parametrize(
    ("changed", "until", "mode"),
    [
        ({"retention": SimpleNamespace(mode="Locked", retain_until_time=LATER)}, LATER, "COMPLIANCE"),
        ({"retention": SimpleNamespace(mode="Unlocked", retain_until_time=NOW)}, NOW, "GOVERNANCE"),
        # The policy of the bucket.
        ({"retention_expiration_time": LATER}, LATER, None),
        (
            {
                "retention": SimpleNamespace(mode="Locked", retain_until_time=NOW),
                "retention_expiration_time": LATER,
            },
            LATER,
            "COMPLIANCE",
        ),
    ],
)
def test_the_lock_that_ends_last_counts(changed: Any, until: datetime.datetime, mode: str | None) -> None:
    found = values.properties_of(blob(**changed))
    assert (found.locked_until, found.lock_mode) == (until.timestamp(), mode)


@pytest.mark.parametrize("hold", ["temporary_hold", "event_based_hold"])
def test_holds(hold: str) -> None:
    assert values.properties_of(blob(**{hold: True})).legal_hold


@pytest.mark.parametrize("noted", ["", "x" * 64, "A" * 64, "0" * 63, 5, None])
def test_a_sha256_that_is_none(noted: Any) -> None:
    assert values.sha256_of(blob(metadata={"sha256": noted})) is None


def test_the_folder_itself_is_no_item() -> None:
    assert values.items_of([blob(), blob(name="pre/")], "pre/") == [Item("x", 3, NOW.timestamp())]


@pytest.mark.parametrize(
    ("noted", "expected"), [(CRC32C_OF_ABC, "364b3fb7"), ("", None), ("no base64!", None), (None, None), (5, None)]
)
def test_a_checksum_in_base64(noted: object, expected: str | None) -> None:
    assert values.crc32c_hex(noted) == expected


def test_what_is_read_is_compared() -> None:
    good = values.check_of("gs://b/x", CRC32C_OF_ABC, None)
    good.update(b"abc")
    good.require_match()
    bad = values.check_of("gs://b/x", CRC32C_OF_ABC, None)
    bad.update(b"abd")
    with pytest.raises(StoreError, match="crc32c"):
        bad.require_match()


@pytest.mark.parametrize(
    ("versions", "seconds", "expected"),
    [(False, 0, False), (True, 0, True), (False, 604800, True), (False, None, False)],
)
def test_what_keeps_what_was_removed(versions: bool, seconds: int | None, expected: bool) -> None:
    policy = SimpleNamespace(retention_duration_seconds=seconds)
    assert values.keeps_removed(SimpleNamespace(versioning_enabled=versions, soft_delete_policy=policy)) == expected


def test_an_sdk_that_does_not_know_soft_delete() -> None:
    assert not values.keeps_removed(SimpleNamespace(versioning_enabled=False))
