# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives are of one cluster."""

from __future__ import annotations

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.retention.groups import members_of


def of(name: str | None, *servers: str, datacenter: str = "dc1") -> ClusterIdentity:
    """Return a cluster of these servers."""
    return ClusterIdentity(datacenter, None, None, tuple(sorted(servers)), name)


def groups(*clusters: ClusterIdentity) -> list[str]:
    """Return the groups of clusters."""
    return [member.group for member in members_of(clusters)]


def histories(*clusters: ClusterIdentity) -> list[int]:
    """Return the histories of clusters, numbered in their order."""
    numbers = [member.history for member in members_of(clusters)]
    return [list(dict.fromkeys(numbers)).index(number) for number in numbers]


def test_a_name_is_one_group_whatever_its_servers() -> None:
    assert groups(of("a", "1"), of("a", "2"), of("b", "3")) == ["a", "a", "b"]


def test_the_servers_of_a_name_are_told_apart() -> None:
    # 1 and 3 are of one history by way of the archive in the middle; 9 is of another.
    assert histories(of("a", "1", "2"), of("a", "2", "3"), of("a", "3"), of("a", "9")) == [0, 0, 0, 1]


def test_an_archive_without_a_name_is_of_the_named_cluster_with_its_servers() -> None:
    assert groups(of("a", "1", "2"), of(None, "2", "3")) == ["a", "a"]


def test_between_two_names_it_is_of_neither() -> None:
    first, second, unnamed = groups(of("a", "1", "2"), of("b", "2", "3"), of(None, "2"))
    assert (first, second) == ("a", "b")
    assert unnamed == "without a name, dc1 (servers 1, 1)"


def test_archives_without_a_name_are_grouped_by_their_servers() -> None:
    one, same, other = groups(of(None, "1", "2"), of(None, "2", "3"), of(None, "4"))
    assert one == same != other


def test_what_is_of_unknown_servers_stands_alone() -> None:
    assert len(set(groups(of(None), of(None), of("a"), of(None, "1")))) == 4


def test_no_name_of_a_cluster_is_taken_for_a_group_without_one() -> None:
    (unnamed,) = groups(of(None, "1"))
    assert groups(of(unnamed, "7"), of(None, "1"))[1] != unnamed


def test_a_hostile_name_is_shown_as_text() -> None:
    assert groups(of("a\x1b[2J", "1")) == ["a\\x1b[2J"]
