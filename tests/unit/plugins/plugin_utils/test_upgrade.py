# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster may be upgraded, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.upgrade_gate import upgrade_gate
from ansible_collections.disaster_recovery.consul.plugins.filter.upgrade_order import upgrade_order


def server(name: str, **changes: Any) -> dict[str, Any]:
    told = {"name": name, "id": f"id-{name}", "voter": True, "healthy": True, "leader": False, "version": "1.22.7"}
    return {**told, **changes}


SERVERS = [server("a"), server("b", leader=True), server("c")]
GOOD: dict[str, Any] = {
    "leader": "127.0.0.1:8300",
    "voters": 3,
    "voters_alive": 3,
    "healthy": True,
    "failure_tolerance": 1,
    "datacenter": "dc1",
    "versions": ["1.22.7"],
    "permissions": {"snapshot": True},
    "unknown": {},
    "servers": SERVERS,
}
UNKNOWN = 'permission denied (the token needs operator = "read")'


def test_the_gate_is_open() -> None:
    assert upgrade_gate(GOOD) == []
    assert upgrade_gate({**GOOD, "permissions": {"snapshot": None}}, tolerance=1) == []
    assert upgrade_gate({**GOOD, "failure_tolerance": 0}, tolerance=0) == []
    # As a variable of the command line is.
    assert upgrade_gate(GOOD, tolerance="1") == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"leader": None}, "the cluster has no leader"),
        (
            {"voters_alive": 2, "servers": [server("a", healthy=False), *SERVERS[1:]]},
            "2 of 3 voters are alive, missing: a",
        ),
        ({"voters_alive": 2}, "2 of 3 voters are alive, missing: none by name"),
        ({"voters_alive": None}, f"whether all voters are alive is not known: {UNKNOWN}"),
        ({"voters": None, "voters_alive": None}, f"whether all voters are alive is not known: {UNKNOWN}"),
        ({"healthy": False}, "autopilot reports the cluster as unhealthy"),
        ({"healthy": None}, f"whether the cluster is healthy is not known: {UNKNOWN}"),
        (
            {"failure_tolerance": 0},
            "the cluster may lose 0 servers, and backup_min_failure_tolerance asks for 1 (set 0 for a cluster of one "
            "server)",
        ),
        ({"failure_tolerance": None}, f"how many servers may fail is not known: {UNKNOWN}"),
        ({"datacenter": None}, "the datacenter is not known; set backup_datacenter"),
        (
            {"datacenter": "dc 1\n"},
            'the agent reports a datacenter name that Consul does not allow: "dc 1\\n"',
        ),
        ({"datacenter": "dc1\n"}, 'the agent reports a datacenter name that Consul does not allow: "dc1\\n"'),
        (
            {"versions": ["1.8.7", "1.22.7"], "servers": [server("a", version="1.8.7"), server("b")]},
            "the servers run different versions: a 1.8.7, b 1.22.7",
        ),
        ({"versions": []}, f"the versions of the servers are not known: {UNKNOWN}"),
        ({"permissions": {"snapshot": False}}, "set token"),
    ],
)
def test_each_condition_that_does_not_hold_is_named(changes: dict[str, Any], said: str) -> None:
    info = {**GOOD, "unknown": {"health": "permission denied"}, **changes}
    assert upgrade_gate(info, tolerance=1, refused="set token") == [said]


def test_why_something_is_not_known_may_not_be_known() -> None:
    (said,) = upgrade_gate({**GOOD, "healthy": None})
    assert said.endswith('not known: no answer (the token needs operator = "read")')


def test_all_conditions_at_once() -> None:
    nothing = {**GOOD, "leader": None, "voters_alive": None, "healthy": None, "versions": [], "servers": None}
    assert len(upgrade_gate(nothing)) == 4


def test_followers_first_and_the_leader_last() -> None:
    hosts = {"id-b": "host-b", "id-a": "host-a", "id-x": "a client"}
    assert upgrade_order(SERVERS, hosts) == {"hosts": ["host-a", "host-b"], "elsewhere": ["c"], "leader": "b"}
    assert upgrade_order(None, {}) == {"hosts": [], "elsewhere": [], "leader": None}


def test_what_is_no_result_of_cluster_info() -> None:
    with pytest.raises(AnsibleFilterError, match="result of cluster_info"):
        upgrade_gate({})
    with pytest.raises(AnsibleFilterError, match="servers of cluster_info"):
        upgrade_order([{"name": "a"}], {})
