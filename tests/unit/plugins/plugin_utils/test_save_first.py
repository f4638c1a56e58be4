# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When clusters are saved before they are asked, and what the saves leave in question."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.may_save_first import may_save_first
from ansible_collections.disaster_recovery.consul.plugins.filter.saves_in_question import saves_in_question

SPECS = {"argument_specs": {"main": {"options": {"backup_dir": {}, "backup_fetch_to": {}}}}}


def host(name: str, cluster: str, **more: Any) -> dict[str, Any]:
    """What the role notes of a host."""
    paths = {"backup_dir": f"/var/backups/{cluster}", "backup_fetch_to": ""}
    return {"host": name, "cluster": cluster, "lasting": "", "paths": paths, "required": ["backup_dir"], **more}


def learned(*servers: str, id: str | None = None) -> dict[str, Any]:
    """What a save learned of a cluster."""
    return {"id": id, "servers": list(servers), "datacenter": "dc1", "name": None}


def test_one_host_for_each_cluster_is_saved_at_once() -> None:
    assert may_save_first([host("a", "x"), host("b", "y")])
    assert may_save_first([host("a", "x")])
    assert not may_save_first([host("a", "x"), host("b", "y"), host("c", "x")])


@pytest.mark.parametrize("place", ["/srv/x.snap", "s3://backups/x/"])
def test_what_could_not_be_removed_again_is_asked_about_first(place: str) -> None:
    assert not may_save_first([host("a", "x", lasting=place), host("b", "y")])


@pytest.mark.parametrize(
    "wrong",
    [
        {"paths": {"backup_dir": "relative"}},
        {"paths": {"backup_dir": ""}},
        {"copy_to": ["/srv/x", "vault"]},
        {"copy_to": [""]},
        {"cluster": "a/b"},
        {"problems": ["something"]},
        {"names": ["backup_fetch_too"]},
    ],
)
def test_settings_that_cannot_be_used_are_said_before_anything_is_saved(wrong: dict[str, Any]) -> None:
    assert not may_save_first([host("a", "x") | wrong, host("b", "y")], specs=SPECS)


def test_stores_that_get_copies_are_paths_or_urls() -> None:
    assert may_save_first([host("a", "x", copy_to=["/srv/x", "~/x", "s3://bucket/prefix/"])], specs=SPECS)


def test_a_number_is_a_name() -> None:
    assert not may_save_first([host("a", "7"), host("b", "7") | {"cluster": 7}])


def test_clusters_with_nothing_in_common_raise_no_question() -> None:
    hosts = [host("a", "x"), host("b", "y"), host("c", "z")]
    assert saves_in_question(hosts, [learned("s1", "s2", id="1"), learned("s3", id="2"), learned()]) == []


@pytest.mark.parametrize(
    ("one", "other"), [(learned("s1", "s2"), learned("s2")), (learned(id="1"), learned("s9", id="1"))]
)
def test_a_server_or_an_id_in_common_puts_both_in_question(one: dict[str, Any], other: dict[str, Any]) -> None:
    hosts = [host("a", "x"), host("b", "y"), host("c", "z")]
    assert saves_in_question(hosts, [other, learned("s3"), one]) == ["x", "z"]


def test_a_server_id_is_no_connect_id() -> None:
    assert saves_in_question([host("a", "x"), host("b", "y")], [learned("s1"), learned(id="s1")]) == []


@pytest.mark.parametrize("nothing", [{}, None, "unreachable"])
def test_a_save_that_failed_is_in_question(nothing: Any) -> None:
    assert saves_in_question([host("a", "x"), host("b", "y")], [learned("s1"), nothing]) == ["y"]


def test_results_that_do_not_match_the_hosts_are_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="2 hosts and 1 results"):
        saves_in_question([host("a", "x"), host("b", "y")], [learned()])
