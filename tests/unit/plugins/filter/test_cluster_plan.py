# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of each cluster does the work, and what stands against it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.cluster_plan import cluster_plan

A, B = ("a1", "a2", "a3"), ("b1", "b2", "b3")
SPECS = {"argument_specs": {"main": {"options": {"backup_dir": {}, "backup_fetch_to": {}}}, "other": {"options": None}}}


def info(
    servers: tuple[str, ...] = A, *, id: str | None = "id-a", dc: str = "dc1", leader: bool = True, **told: Any
) -> dict[str, Any]:
    """What cluster_info returns."""
    return {
        "summary": "dc1: well",
        "datacenter": dc,
        "cluster_id": id,
        "leader": "127.0.0.1:8300" if leader else None,
        "servers": [{"id": one, "name": f"server-{one}"} for one in servers],
        "permissions": {"snapshot": True},
        **told,
    }


def failed(kind: str, msg: str, hint: str = "", **facts: Any) -> dict[str, Any]:
    """What a module that failed returns."""
    return {"failed": True, "msg": f"{msg}. {hint}" if hint else msg, "failure": {"kind": kind, "hint": hint, **facts}}


def seat(host: str, cluster: object, told: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What a role notes of a host."""
    return {"host": host, "cluster": cluster, "info": told, **more}


def test_who_knows_a_leader_and_may_save_comes_first() -> None:
    denied = info(permissions={"snapshot": False})
    seats = [
        seat("h1", "x", info(leader=False)),
        seat("h2", "x", denied),
        seat("h3", "x", info()),
        seat("h4", "x", info()),
    ]
    one = cluster_plan(seats)["x"]
    assert one["hosts"] == ["h3", "h4", "h2", "h1"]
    assert (one["fault"], one["doubt"], one["silent"], one["complaints"], one["speaker"]) == ("", "", [], "", "h1")


def test_silent_hosts_are_named_and_no_fault_while_another_answers() -> None:
    gone = {"unreachable": True, "msg": "no route to host"}
    one = cluster_plan([seat("h1", "x", gone), seat("h2", "x", info())])["x"]
    assert one["hosts"] == ["h2"]
    assert one["silent"] == ["h1"]
    assert one["complaints"].startswith(
        "h1: the host can't be reached (no route to host). Ansible can't log in there; "
    )
    assert one["fault"] == ""


def test_names_are_text_even_when_they_are_numbers() -> None:
    assert list(cluster_plan([seat("h1", 7, info())])) == ["7"]


CASES = [
    (
        failed("permission_denied", "the token may not do this (HTTP 403: Permission denied)", "A policy is needed."),
        "the token may not do this (HTTP 403: Permission denied). "
        'Set token or token_file in restore_connection to one whose policy has acl = "write".',
    ),
    (
        failed("token_unknown", "the token does not exist in this cluster (HTTP 403: ACL not found)", "Check it."),
        "restore_post_restore_token is for one of them.",
    ),
    (
        failed(
            "missing_library", "Failed to import the required Python library (msgpack) on a's Python", library="msgpack"
        ),
        "h1, h2: the Python library msgpack is missing. Install it for the Python that the modules run on there",
    ),
    (
        failed("missing_library", "msgpack is missing for x", "Install python3-{x} there.", library="msgpack"),
        "h1, h2: the Python library msgpack is missing. Install python3-{x} there.",
    ),
    (
        failed(
            "connection", "the connection was refused (http://h:1/v1)", "Is Consul running there?", url="http://h:1/v1"
        ),
        "h1, h2: the connection was refused. Is Consul running there? Connection options belong in restore_connection",
    ),
    (
        failed(
            "connection",
            "the server's certificate is signed by a CA that is not trusted here",
            "Set ca_path to the CA.",
        ),
        "not trusted here. Set ca_path to the CA. Connection options belong in restore_connection",
    ),
    (failed("connection", "the host name is not known", "Check host."), "the host name is not known. Check host. Conn"),
    (failed("wrong_scheme", "this port speaks HTTPS", "x"), "Set scheme: https in restore_connection."),
    (failed("option", "host is empty", "Leave it out."), "host is empty. Leave it out. Connection options belong in"),
    (
        failed("unknown_datacenter", "no", "x"),
        "Set restore_datacenter to a name that 'consul catalog datacenters' lists.",
    ),
    (
        {"unreachable": True, "msg": "ssh: timeout"},
        "h1, h2: the host can't be reached (ssh: timeout). Ansible can't log in",
    ),
    ({"failed": True, "msg": "MODULE FAILURE"}, "h1, h2: MODULE FAILURE. Run with -vvv to see what the host answered."),
    (failed("no_leader", "no leader", "See the peers."), "h1, h2: no leader. See the peers."),
    ({}, "h1, h2: no message."),
]


@pytest.mark.parametrize(("told", "said"), CASES, ids=range(len(CASES)))
def test_causes_are_said_once_with_advice_that_fits(told: dict[str, Any], said: str) -> None:
    fault = cluster_plan([seat("h1", "x", told), seat("h2", "x", told)], role="restore")["x"]["fault"]
    assert fault.startswith("nothing can be learned of this cluster. h1, h2: ")
    assert said in fault
    assert fault.count("h1") == 1
    assert "no host" not in fault
    assert "  " not in fault
    assert ".." not in fault


def test_causes_that_differ_are_said_apart() -> None:
    refused = failed("connection", "the connection was refused", "Is Consul running there?")
    alike = failed("connection", "the connection was refused elsewhere", "Is Consul running there?")
    gone = {"unreachable": True, "msg": "gone"}
    fault = cluster_plan([seat("h1", "x", refused), seat("h2", "x", gone), seat("h3", "x", alike)])["x"]["fault"]
    assert "h1, h3: the connection was refused (and 1 more like it). " in fault
    assert "h2: the host can't be reached (gone)" in fault


def test_why_not_every_host_was_asked() -> None:
    fault = cluster_plan([seat("h1", "x", {})], within="Only the hosts of --limit h1 were asked.")["x"]["fault"]
    assert fault.endswith("Only the hosts of --limit h1 were asked.")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (info(B), "The Connect id is the same: one was restored from an archive of the other"),
        (info(B, id=None), "h2 is of dc1 (servers server-b1, server-b2, server-b3, no Connect id)"),
        (info(A, id="id-b"), "Connect id id-b"),
        (info((), id="id-b"), "h2 is of dc1 (servers unknown, Connect id id-b)"),
        (info((), id=None, dc="dc2"), "h2 is of dc2"),
    ],
)
def test_one_name_for_two_clusters(other: dict[str, Any], said: str) -> None:
    fault = cluster_plan([seat("h1", "x", info()), seat("h2", "x", other)])["x"]["fault"]
    assert fault.startswith("its hosts are of different Consul clusters, so all but one would go without a backup. ")
    assert said in fault
    assert fault.endswith("Set backup_cluster to another name for each cluster.")


@pytest.mark.parametrize("other", [info(("a3", "a4")), info((), id=None), info(A, id=None), info(()), info(dc="")])
def test_one_name_for_one_cluster(other: dict[str, Any]) -> None:
    assert cluster_plan([seat("h1", "x", info()), seat("h2", "x", other)])["x"]["fault"] == ""


def test_two_names_for_one_cluster() -> None:
    plan = cluster_plan(
        [seat("h1", "x", info()), seat("h2", "y", info(("a3", "a4"))), seat("h3", "z", info(B, id="b"))]
    )
    said = "x, y are 2 names of one Consul cluster, dc1 (servers "
    assert plan["x"]["fault"].startswith(said)
    assert plan["y"]["fault"].startswith(said)
    assert plan["x"]["fault"].endswith("Set backup_cluster to one name for all hosts of that cluster.")
    assert plan["x"]["speaker"] == plan["y"]["speaker"] == "h1"
    assert plan["z"]["fault"] == ""


def test_an_original_and_its_clone_are_two_clusters() -> None:
    plan = cluster_plan([seat("h1", "x", info()), seat("h2", "y", info(B))])
    assert [(one["fault"], one["doubt"]) for one in plan.values()] == [("", "")] * 2


def test_the_same_server_ids_in_another_datacenter_are_another_cluster() -> None:
    plan = cluster_plan([seat("h1", "x", info()), seat("h2", "y", info(dc="dc2"))])
    assert [one["fault"] for one in plan.values()] == ["", ""]


def test_what_can_not_be_told_is_a_doubt() -> None:
    plan = cluster_plan([seat("h1", "x", info(())), seat("h2", "y", info(B)), seat("h3", "z", info((), id=None))])
    assert plan["x"]["doubt"].startswith("y may be the same Consul cluster: it has the same Connect id")
    assert 'operator = "read"' in plan["x"]["doubt"]
    assert plan["y"]["doubt"].startswith("x may be")
    assert plan["z"]["doubt"] == ""
    assert [one["fault"] for one in plan.values()] == ["", "", ""]


def test_archives_and_where_they_go() -> None:
    two = [seat("h1", "x", info(), source="/a"), seat("h2", "y", info(B, id="b"), source="/a")]
    plan = cluster_plan(two, role="restore")
    assert plan["x"]["fault"].startswith("y would get the same archive, /a. Set restore_src for each cluster, ")
    assert plan["y"]["fault"].startswith("x would get the same archive")
    differing = [seat("h1", "x", info(), source="/a"), seat("h2", "x", info(), source="/b")]
    assert "its hosts name different archives (/a, /b)" in cluster_plan(differing, role="restore")["x"]["fault"]


def test_only_what_was_seen_makes_two_names_of_one_cluster() -> None:
    one, two, silent = seat("a", "x", info()), seat("b", "y", info()), seat("b", "y", {})
    assert [found["same"] for found in cluster_plan([one, two]).values()] == [["y"], ["x"]]
    found = cluster_plan([one, silent])
    assert found["y"]["fault"].startswith("nothing can be learned of this cluster")
    assert [found[name]["same"] for name in ("x", "y")] == [[], []]


def test_directories_that_are_shared() -> None:
    seats = [
        seat(host, host, info((host,), id=None), directory=place) for host, place in zip("xyz", ["/a", "/a", "/b"])
    ]
    assert [one["shared"] for one in cluster_plan(seats).values()] == [["y"], ["x"], []]


def test_settings_are_said_once_for_a_cluster() -> None:
    seats = [seat("h1", "x", info(), problems=["one", "two."]), seat("h2", "x", {}, problems=["one"])]
    assert cluster_plan(seats)["x"]["fault"] == "one. two. (On h1.)"


def test_misspelled_variables_are_named() -> None:
    told = {"names": ["backup_dir", "backup_fetch_too", "backup_dirs"], "others": ["backup_dirs"]}
    fault = cluster_plan([seat("h1", "x", info(), **told)], specs=SPECS)["x"]["fault"]
    assert fault == (
        "backup_fetch_too is not a variable of this role; backup_fetch_to is. Correct the name, or, where it "
        "belongs to something else, add it to backup_other_variables."
    )


def test_what_comes_from_outside_is_shown_escaped() -> None:
    evil = "dc1\n\x1b[31mall is well\u202e"
    seats = [seat("h1", "x", info(("s\x07",), dc=evil)), seat("h2", "x", info(B, dc="dc2"))]
    seats += [seat("h3", "y", failed("api", f"HTTP 500: {evil}"))]
    for one in cluster_plan(seats).values():
        assert one["fault"]
        assert one["fault"].isprintable()


def test_templates_from_outside_stay_text() -> None:
    seats = [seat("h1", "x", failed("api", "{{ lookup('pipe', 'id') }}"))]
    assert "{{ lookup('pipe', 'id') }}" in cluster_plan(seats)["x"]["fault"]


@pytest.mark.parametrize("odd", [{"servers": 5}, {"servers": ["x"]}, {"datacenter": 5}, {"permissions": None}])
def test_odd_answers_end_no_plan(odd: dict[str, Any]) -> None:
    assert cluster_plan([seat("h1", "x", info(**odd) if "servers" not in odd else {**info(), **odd})])["x"][
        "hosts"
    ] == ["h1"]


@pytest.mark.parametrize("seats", [[5], [{"cluster": "x"}], ["x"]])
def test_what_is_no_seat(seats: list[Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="cluster_plan wants"):
        cluster_plan(seats)


def test_a_large_fleet_is_planned_at_once() -> None:
    fleet = [
        seat(f"h{one}-{two}", f"c{one}", info((f"s{one}-{two}",), id=f"id{one}"))
        for one in range(500)
        for two in range(1)
    ]
    assert len(cluster_plan(fleet)) == 500
