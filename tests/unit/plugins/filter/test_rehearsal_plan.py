# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who rehearses what, and whose archives lie beside those of others."""

from __future__ import annotations

from typing import Any

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_plan import rehearsal_plan


def seat(host: str, cluster: str, place: str = "/a", **changes: Any) -> dict[str, Any]:
    return {"host": host, "cluster": cluster, "on": "localhost", "place": place, "work": "newest", **changes}


def test_the_first_of_equal_hosts_works() -> None:
    plan = rehearsal_plan([seat("h1", "a"), seat("h2", "a"), seat("h3", "a", work="all"), seat("h4", "a", on="h4")])
    assert {host: one["works"] for host, one in plan.items()} == {"h1": True, "h2": False, "h3": True, "h4": True}
    assert not any(one["shared"] for one in plan.values())


def test_a_directory_of_several_clusters_is_shared_however_it_is_written() -> None:
    plan = rehearsal_plan(
        [
            *(seat("h1", "a", "/x/y"), seat("h2", "b", "//x//y/"), seat("h3", "b", "/x/z/../y/.")),
            *(seat("h4", "a", "/x/y", on="other"), seat("h5", "c", "/x"), seat("h6", "d", "/x/yy")),
        ]
    )
    assert {host for host, one in plan.items() if one["shared"]} == {"h1", "h2", "h3"}
    assert {host for host, one in plan.items() if not one["works"]} == {"h3"}


def test_a_store_is_the_same_one_from_every_host() -> None:
    url = "s3://backups/consul/"
    plan = rehearsal_plan(
        [seat("h1", "a", url, on="h1"), seat("h2", "a", "s3://backups/consul", on="h2"), seat("h3", "b", url, on="h3")]
    )
    assert {host: one["works"] for host, one in plan.items()} == {"h1": True, "h2": False, "h3": True}
    assert all(one["shared"] for one in plan.values())


def test_a_large_fleet_in_one_pass() -> None:
    plan = rehearsal_plan([seat(f"h{number}", f"c{number // 2}") for number in range(20_000)])
    assert sum(one["works"] for one in plan.values()) == 10_000


def test_stores_of_the_catalogue_are_shared_with_whoever_names_them() -> None:
    url = "s3://backups/consul"
    plan = rehearsal_plan(
        [seat("h1", "a", "/a", catalogue=["/a/", "/own", f"{url}/"]), seat("h2", "b", "/b", catalogue=[url], on="h2")]
    )
    assert plan["h1"]["catalogue"] == [False, False, True]
    assert plan["h2"]["catalogue"] == [True]
    assert not plan["h1"]["shared"]
    # Whose archives are rehearsed is no matter of what somebody else's catalogue lists.
    assert not rehearsal_plan([seat("h1", "a"), seat("h2", "b", "/b", catalogue=["/a"])])["h1"]["shared"]
    assert rehearsal_plan([seat("h1", "a"), seat("h2", "b", "/b", catalogue=["/a"])])["h2"]["catalogue"] == [True]
