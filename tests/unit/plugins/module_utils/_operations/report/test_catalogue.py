# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the archives in several stores, honest ones and others."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.catalogue import (
    SHOWN,
    SIZES,
    other_clusters,
    stores_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text
from browser.example import DAY, NOW, ago, listed, result

AT = from_text(NOW)


def archive(age: float = 3600.0, **changes: Any) -> dict[str, Any]:
    own = {"size": 1000, "sealed": False, "signed": False, "sha256": f"{int(age):064x}", "fingerprint": f"v2:{age}"}
    return listed(result(src=f"/a/{int(age)}.snap", age=age), "a", age, **{**own, **changes})


def look(*archives: dict[str, Any], store: str = "/a", on: str = "h", **changes: Any) -> dict[str, Any]:
    return {"store": store, "on": on, "listed": {"exists": True, "archives": list(archives), **changes}}


def only(*looks: dict[str, Any], **options: Any) -> dict[str, Any]:
    (store,) = stores_of(looks, now=AT, **options)
    return store


def test_what_a_store_has() -> None:
    locked = archive(2 * DAY, locked_until=ago(-DAY), held=True, sealed=True, signed=True)
    free = archive(3 * DAY, locked_until=ago(DAY), held=False)
    store = only(look(archive(), locked, free, archive(60, manifest_status="stale", size=7)))
    assert {key: store[key] for key in ("archives", "verified", "sealed", "signed", "held", "locked", "bytes")} == {
        **{"archives": 4, "verified": 3, "sealed": 1, "signed": 1, "held": 1, "locked": 1},
        "bytes": 3007,
    }
    assert (store["newest_taken_at"], store["current_at"], store["age"]) == (ago(3600), ago(3600), 3600)
    assert store["locked_until"] == ago(-DAY)
    assert [one["at"] for one in store["sizes"]] == [ago(3 * DAY), ago(2 * DAY), ago(3600)]
    assert (store["problem"], store["next_prune"], store["proven"]) == (None, None, False)


def test_a_confirmation_counts_for_every_copy_of_the_content() -> None:
    old = archive(9 * DAY, confirmed_at=ago(9 * DAY))
    here = look({**old, "confirmed_at": ago(60)}, store="/a")
    there = look({**old, "path": "s3://b/x.snap", "sha256": "f" * 64}, store="s3://b/", on="")
    other = look(archive(8 * DAY), store="/c")
    assert [one["age"] for one in stores_of([here, there, other], now=AT)] == [60, 60, 8 * DAY]


def test_no_age_is_believed_that_no_leader_confirmed_or_that_lies_ahead() -> None:
    stale = archive(60, confirmed_at=None, confirmed_by_leader=False)
    ahead = archive(-9 * DAY, confirmed_at=ago(-9 * DAY), taken_at=ago(-9 * DAY), dated_ahead=True)
    store = only(look(stale, ahead))
    assert (store["verified"], store["age"], store["newest_taken_at"]) == (2, None, ago(60))


def test_where_signatures_are_asked_for_others_do_not_count() -> None:
    told = [archive(60, signed=True, signed_by=None), archive(DAY, signed=True, signed_by="backup@ops")]
    assert only(look(*told), signed_only=True)["verified"] == 1
    assert only(look(*told), signed_only=True)["age"] == DAY
    assert only(look(*told))["verified"] == 2


def test_it_knows_where_the_proven_archive_is() -> None:
    looks = [look(archive(60), store="/a"), look(archive(DAY), store="/b")]
    assert [one["proven"] for one in stores_of(looks, now=AT, proven={archive(60)["sha256"]})] == [True, False]


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"unreachable": True, "msg": "Failed to connect"}, "h can't be reached: Failed to connect"),
        ({"failure": {"kind": "store"}, "msg": "no such\nbucket"}, "no such bucket"),
        ({"failed": True}, "the archives could not be listed"),
        ({"exists": False, "archives": []}, "the directory does not exist"),
        (None, "what snapshot_list returned is not a result of the module"),
        ({"archives": "many"}, "what snapshot_list returned is not a result of the module"),
        ({"archives": [7]}, "what snapshot_list returned is not a result of the module"),
    ],
)
def test_a_store_that_could_not_be_read_says_so(told: Any, problem: str) -> None:
    good = look(archive(), store="/good")
    bad, fine = stores_of([{"store": "/bad", "on": "h", "listed": told}, good], now=AT)
    assert (bad["problem"], bad["archives"], bad["verified"], bad["age"]) == (problem, 0, 0, None)
    assert (fine["problem"], fine["verified"]) == (None, 1)


def test_one_store_is_one_row_whoever_read_it() -> None:
    url = "s3://b/c/"
    looks = [{"store": url, "listed": {"failed": True}}, look(archive(), store="s3://b/c", on="")]
    looks += [look(store="/a", on="one"), look(archive(), store="/a/", on="two"), look(archive(), store="/a", on="one")]
    assert [(one["store"], one["on"], one["archives"]) for one in stores_of(looks, now=AT)] == [
        ("s3://b/c", None, 1),
        ("/a", "one", 0),
        ("/a/", "two", 1),
    ]


def pruned(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**look(archive()), "pruned": {"archives": list(rows), **changes}}


def row(number: int, *reasons: str) -> dict[str, Any]:
    told = {"path": f"/a/{number}.snap", "taken_at": ago(number * DAY), "size": 10, "cluster": "a"}
    return {**told, "keep": bool(reasons), "reasons": list(reasons)}


def test_what_the_next_prune_would_remove_comes_first() -> None:
    store = only(pruned(row(1, "the newest verified"), row(2, "held: audit of 2026"), row(3), row(4)))
    plan = store["next_prune"]
    assert (plan["kept"], plan["removes"], plan["frees"], plan["problem"]) == (2, 2, 20, None)
    assert [(one["file"], one["keep"]) for one in plan["archives"]] == [
        *(("3.snap", False), ("4.snap", False), ("1.snap", True), ("2.snap", True)),
    ]
    assert store["held"] == 1
    many = only(pruned(*(row(number) for number in range(SHOWN + 9))))["next_prune"]
    assert (many["removes"], len(many["archives"])) == (SHOWN + 9, SHOWN)


def test_a_prune_that_would_be_refused_says_why() -> None:
    plan = only(pruned(row(1, "too many would go"), failure={"kind": "retention"}, msg="nothing was removed: too many"))
    assert plan["next_prune"]["problem"] == "nothing was removed: too many"
    assert plan["next_prune"]["removes"] == 0
    assert only({**look(archive()), "pruned": {"failed": True}})["next_prune"]["problem"]


def test_hostile_texts_are_bounded_and_printable() -> None:
    evil = "\u202egnp.exe\x1b[2J\n" * 400
    odd = archive(60, path=f"/a/{evil}", size=-5, taken_at=evil, locked_until=evil, sealed="yes", sha256=evil)
    one = {"path": f"/a/{evil}", "taken_at": evil, "size": "big", "keep": False, "reasons": evil}
    other = {"path": None, "keep": "x", "reasons": [evil, 7, None]}
    store = only({**look(odd, store=f"/{evil}", on=evil), "pruned": {"archives": [one, other, 5], "msg": evil}})
    texts = [store["store"], store["on"], *(told["file"] for told in store["next_prune"]["archives"])]
    texts += [reason for told in store["next_prune"]["archives"] for reason in told["reasons"]]
    assert all(text.isprintable() and len(text) <= 1000 for text in texts)
    assert (store["bytes"], store["sealed"], store["locked"], store["sizes"]) == (0, 0, 0, [])


def test_only_so_many_sizes() -> None:
    sizes = only(look(*(archive(number * 60.0) for number in range(SIZES + 9))))["sizes"]
    assert (len(sizes), sizes[-1]["at"]) == (SIZES, NOW)


def test_clusters_that_nobody_stands_for() -> None:
    looks = [look(other_clusters=["b", "old\u202e"]), look(store="/b", other_clusters=["c"]), {"store": "/x"}]
    assert other_clusters(looks, ["a", "b"]) == ["c", "old\\u202e"]


def test_archives_that_name_no_cluster_count_where_no_other_one_is_named() -> None:
    nameless = {**archive(), "cluster": {"name": None}}
    assert only(look(nameless))["verified"] == 1
    assert only(look(nameless, other_clusters=["b"]))["verified"] == 0
    assert only(look(nameless, archive(DAY), other_clusters=["b"]))["verified"] == 2
