# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Google Cloud Storage is reached: what of the settings is used, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import MissingLibraryError, OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.gcs_client import (
    connect,
    is_emulator,
    require_library,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import StoreSettings

EMULATOR = "http://127.0.0.1:4443"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, False),
        ("https://storage.googleapis.com", False),
        ("https://10.0.0.1:4443", False),
        ("https://127.0.0.1.example.com", False),
        (EMULATOR, True),
        ("https://[::1]:4443", True),
        ("https://localhost:4443", True),
        ("http://storage.example", True),
    ],
)
def test_where_no_credentials_are_sent_unasked(url: str | None, expected: bool) -> None:
    assert is_emulator(url) == expected


@pytest.mark.parametrize("url", ["storage", "https://", "https://h:port", "https://u:verysecret@h", "https://h?x=y"])
def test_an_endpoint_that_can_not_be_one(url: str) -> None:
    with pytest.raises(OptionError, match=r"store\.endpoint_url") as caught:
        connect(StoreSettings(endpoint_url=url))
    assert "verysecret" not in caught.value.as_text()


@pytest.mark.parametrize("text", [None, "", "{}", '{"type": "service_account", "private_key": "verysecret"}'])
def test_a_key_file_that_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "key.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(OptionError, match=r"store\.credentials_file") as caught:
        connect(StoreSettings(endpoint_url=EMULATOR, credentials_file=str(path)))
    assert "verysecret" not in caught.value.as_text()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({}, True), ({"ca_path": "/ca.pem"}, "/ca.pem"), ({"ca_path": "/ca.pem", "validate_certs": False}, False)],
)
def test_the_ca_goes_with_each_request(changed: dict, expected: object) -> None:
    # requests prefers what the environment says to what the session has.
    session = connect(StoreSettings(endpoint_url=EMULATOR, **changed)).session
    assert session.request.keywords == {"verify": expected}


def test_the_sdk_asks_for_nothing_of_its_own() -> None:
    assert getattr(connect(StoreSettings(endpoint_url=EMULATOR)).client, "_bucket_metadata_cache", None) is None


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_library()
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    with pytest.raises(MissingLibraryError, match="google-cloud-storage"):
        require_library()
