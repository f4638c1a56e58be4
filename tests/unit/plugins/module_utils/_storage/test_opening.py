# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend a place belongs to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.imports import imported_by

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import MissingLibraryError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.opening import open_store
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import StoreSettings

BACKENDS = "ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends."
SDKS = ("boto3", "google.cloud.storage", "azure.storage.blob")
SETTINGS = StoreSettings(account_url="https://account.example", account_key="a2V5")


def test_a_path_is_a_directory_whether_or_not_it_ends_with_a_slash(tmp_path: Path) -> None:
    for text in (str(tmp_path), f"{tmp_path}/", f"file://{tmp_path}"):
        store = open_store(parse_location(text, "dest"), StoreSettings())
        assert isinstance(store, LocalStore)
        assert store.place("a.snap") == str(tmp_path / "a.snap")


@pytest.mark.parametrize(
    ("url", "sdk", "says"),
    [
        ("s3://bucket/prefix/", "boto3", "(python3-boto3, or pip install boto3)"),
        ("gs://bucket/prefix/", "google.cloud.storage", "(pip install google-cloud-storage)"),
        ("az://container/prefix/", "azure.storage.blob", "(pip install azure-storage-blob)"),
    ],
)
def test_a_missing_sdk_is_named(url: str, sdk: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if this process had imported neither.
    for name in list(sys.modules):
        if name.startswith(BACKENDS) or name == sdk or name.startswith(f"{sdk}."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, sdk, None)
    with pytest.raises(MissingLibraryError, match="is missing for") as caught:
        open_store(parse_location(url, "dest"), SETTINGS)
    # Those that were imported without it are not for later tests.
    for name in [name for name in sys.modules if name.startswith(BACKENDS)]:
        del sys.modules[name]
    assert says in caught.value.hint


def test_a_directory_needs_no_sdk() -> None:
    storage = BACKENDS[: -len("backends.")]
    imported = imported_by(
        f"from {storage}location import parse_location",
        f"from {storage}opening import open_store",
        f"from {storage}settings import StoreSettings",
        "open_store(parse_location('/var/backups/', 'dest'), StoreSettings())",
    )
    assert f"{BACKENDS}local" in imported
    assert imported.isdisjoint(SDKS)
