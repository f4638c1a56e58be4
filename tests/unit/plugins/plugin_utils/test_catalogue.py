# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stores a catalogue names, and what is kept of what was seen of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.catalogue_looks import catalogue_looks
from ansible_collections.disaster_recovery.consul.plugins.filter.catalogue_stores import catalogue_stores

OWN, COMMON = {"region": "x"}, {"region": "y"}


def named(*entries: Any) -> list[tuple[str, bool, dict[str, Any]]]:
    found = catalogue_stores(list(entries), default="/default/", store=COMMON)
    return [(one["path"], one["local"], one["store"]) for one in found]


def test_paths_urls_and_stores_with_options_of_their_own() -> None:
    assert named("/a/", "s3://b/c", {"path": "s3://d", "store": OWN}, {"path": "file:///e"}) == [
        ("/a", True, {}),
        ("s3://b/c/", False, COMMON),
        ("s3://d/", False, OWN),
        ("/e", True, {}),
    ]


def test_no_entry_means_where_the_rehearsed_archives_are() -> None:
    assert named() == [("/default", True, {})]


def test_one_store_is_named_once() -> None:
    assert [path for path, _local, _store in named("/a", "/a/", "s3://b", {"path": "s3://b/", "store": OWN})] == [
        *("/a", "s3://b/"),
    ]


def test_what_is_no_store_is_left_for_the_settings_to_refuse() -> None:
    assert [path for path, _local, _store in named(7, {}, "s3://")] == ["", "s3://"]
    with pytest.raises(AnsibleFilterError, match="must be a list"):
        catalogue_stores("/a", default="/b")


def test_what_was_seen_goes_with_its_store() -> None:
    stores = catalogue_stores(["/a", "s3://b"], default="/")
    listed = [{"item": 1, "archives": [], "invocation": {"secret": 1}}, {"item": 0, "unreachable": True, "msg": "no"}]
    pruned = [{"item": 0, "skipped": True}, {"item": 1, "archives": [], "diff": "long"}]
    assert catalogue_looks(stores, listed=listed, pruned=pruned, host="vault") == [
        {"store": "/a", "on": "vault", "listed": {"msg": "no", "unreachable": True}, "pruned": None},
        {"store": "s3://b/", "on": "", "listed": {"archives": []}, "pruned": {"archives": []}},
    ]
    with pytest.raises(AnsibleFilterError, match="needs results of modules in a loop"):
        catalogue_looks(stores, listed=[{"item": "x"}], host="vault")
