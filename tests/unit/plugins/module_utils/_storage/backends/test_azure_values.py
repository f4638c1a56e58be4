# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What blobs of Azure say, as values."""

from __future__ import annotations

import datetime
import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends import azure_values as values
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.protocol import Item

NOW = datetime.datetime(2026, 11, 26, 10, 0, tzinfo=datetime.timezone.utc)


def blob(**changed: Any) -> Any:
    """Return a blob as the SDK describes it."""
    own = {
        "name": "pre/x",
        "size": 3,
        "etag": '"0x1"',
        "last_modified": NOW,
        "metadata": {},
        "immutability_policy": SimpleNamespace(expiry_time=None, policy_mode=None),
        "has_legal_hold": None,
        "content_settings": SimpleNamespace(content_md5=None),
        "content_range": None,
    }
    return SimpleNamespace(**{**own, **changed})


@pytest.mark.parametrize("noted", ["", "x" * 64, "A" * 64, "0" * 63, "0" * 65, None])
def test_a_sha256_that_is_none(noted: str | None) -> None:
    assert values.sha256_of({"sha256": noted} if noted is not None else None) is None


def test_properties() -> None:
    sha256 = "0" * 64
    policy = SimpleNamespace(expiry_time=NOW, policy_mode="unlocked")
    found = values.properties_of(blob(metadata={"sha256": sha256}, immutability_policy=policy, has_legal_hold=True))
    assert found == (3, NOW.timestamp(), '"0x1"', sha256, NOW.timestamp(), "GOVERNANCE", True)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("Locked", "COMPLIANCE"), ("BlobImmutabilityPolicyMode.LOCKED", "COMPLIANCE"), ("Mutable", None), (None, None)],
)
def test_modes(mode: str | None, expected: str | None) -> None:
    policy = SimpleNamespace(expiry_time=NOW, policy_mode=mode)
    assert values.properties_of(blob(immutability_policy=policy)).lock_mode == expected


def test_a_retention_never_ends_before_it_was_asked_to() -> None:
    assert values.moment_of(("Locked", 100.25)).timestamp() == 101.0
    assert values.moment_of(("Locked", 100.0)).timestamp() == 100.0


def test_prefixes_and_the_folder_itself_are_no_items() -> None:
    listed = [blob(), SimpleNamespace(name="pre/sub/", prefix="pre/sub/"), blob(name="pre/")]
    assert values.items_of(listed, "pre/") == [Item("x", 3, NOW.timestamp())]


@pytest.mark.parametrize(("content_range", "expected"), [("bytes 0-2/5", 5), (None, 3), ("bytes 0-2/*", 3)])
def test_the_whole_size_of_what_a_range_is_of(content_range: str | None, expected: int) -> None:
    assert values.whole_size(blob(content_range=content_range)) == expected


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_what_is_read_is_compared(kind: str) -> None:
    right = hashlib.new(kind, b"abc")
    noted = (
        {"metadata": {"sha256": right.hexdigest()}}
        if kind == "sha256"
        else {"content_settings": SimpleNamespace(content_md5=bytearray(right.digest()))}
    )
    good = values.check_of("az://c/x", blob(**noted))
    good.update(b"abc")
    good.require_match()
    bad = values.check_of("az://c/x", blob(**noted))
    bad.update(b"abd")
    with pytest.raises(StoreError, match=kind):
        bad.require_match()


def test_a_host_without_md5(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_data: bytes, **_options: bool) -> None:
        raise ValueError("disabled for FIPS")

    assert values.can_validate()
    monkeypatch.setattr(hashlib, "md5", refused)
    assert not values.can_validate()
    assert values.new_md5() is None
