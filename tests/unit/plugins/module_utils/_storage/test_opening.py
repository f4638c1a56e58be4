# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend a place belongs to."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.opening import open_store
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import StoreSettings


def test_a_path_is_a_directory_whether_or_not_it_ends_with_a_slash(tmp_path: Path) -> None:
    for text in (str(tmp_path), f"{tmp_path}/", f"file://{tmp_path}"):
        store = open_store(parse_location(text, "dest"), StoreSettings())
        assert isinstance(store, LocalStore)
        assert store.place("a.snap") == str(tmp_path / "a.snap")
