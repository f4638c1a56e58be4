# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore leaves to people: who is awaited, who is gone, and what is to be done."""

from __future__ import annotations

from typing import Any

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.next_steps import (
    Agent,
    about_unconnected,
    agents_awaited,
    next_steps,
    servers_gone,
)

ARCHIVE = {
    "old-1": Agent("id-1", True, {"consul", "api"}),
    "old-2": Agent("id-2", True, {"consul"}),
    "web-1": Agent("id-9", True, {"web"}),
}


def steps(**changes: Any) -> list[str]:
    told: dict[str, Any] = {
        "awaited": [],
        "gone": [],
        "conflicts": [],
        "servers": ["new-1"],
        "down": [],
        "peerings": [],
        "acl": True,
        "datacenter": "dc1",
        "archive_datacenter": "dc1",
    }
    return next_steps(**{**told, **changes})


def test_servers_of_the_old_cluster_are_not_awaited() -> None:
    gone = servers_gone(ARCHIVE, {"new-1"}, {"id-new"})
    assert [one["node"] for one in gone] == ["old-1", "old-2"]
    awaited = agents_awaited(ARCHIVE, {"new-1"}, [one["node"] for one in gone])
    assert awaited == [{"node": "web-1", "services": ["web"]}]
    [step] = [step for step in steps(gone=gone, awaited=awaited) if "old-1" in step]
    assert step.startswith("Do not wait for old-1 and old-2: ")
    assert step.endswith("Register the services that ran there elsewhere: api.")


def test_a_server_of_this_cluster_that_is_down_comes_back() -> None:
    assert [one["node"] for one in servers_gone(ARCHIVE, {"new-1"}, {"id-1"})] == ["old-2"]
    # Nor is one gone whose name a living agent bears.
    assert [one["node"] for one in servers_gone(ARCHIVE, {"OLD-1"}, ())] == ["old-2"]


def test_members_that_may_not_be_seen() -> None:
    assert agents_awaited(ARCHIVE, None) is None
    assert any("consul members" in step for step in steps(awaited=None))


def test_peerings_come_first_by_name() -> None:
    first = steps(peerings=["eu;rm", "us"])[0]
    assert "(eu;rm and us)" in first
    assert not any("peering" in step for step in steps())


def test_nobody_is_told_to_delete_a_peering_while_the_original_may_live() -> None:
    """A deletion in the clone sets the original's peering to TERMINATED."""
    step = steps(peerings=["eu"])[0]
    assert "consul peering delete" not in step
    assert not step.startswith("Delete")
    alive, gone = step.split("If that cluster still runs, ")[1].split("If it is lost, ")
    assert "stop these servers or cut their network to the peers" in alive
    assert "don't delete a peering" in alive
    assert "keep the peerings that become ACTIVE" in gone
    assert "consul peering establish" in gone


def test_a_peering_that_is_not_connected() -> None:
    named = {"id-1": "east", "id-2": "we\x07st"}
    assert about_unconnected(named, {}) is None
    step = about_unconnected(named, {"id-2": "FAILING"})
    assert step is not None
    assert step.startswith("These peerings are not connected: we\\x07st (FAILING). ")
    assert "consul operator raft transfer-leader" in step
    unknown = about_unconnected(named, None)
    assert unknown is not None
    assert "east and we\\x07st" in unknown
    assert "consul peering list" in unknown


def test_names_are_shown_escaped() -> None:
    told = steps(awaited=[{"node": "a\x1b[2J\nb", "services": []}], archive_datacenter="dc\n2", peerings=["p\x07"])
    assert all(step.isprintable() for step in told)
