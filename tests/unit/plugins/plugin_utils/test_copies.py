# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the copies of an archive."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.backup_copies import backup_copies

PLACES = ["s3://vault/consul", "/mnt/nfs"]
DEST = "s3://vault/consul/a.snap"
MADE = {"item": 0, "changed": True, "copied": [{"src": "/a.snap", "dest": DEST}], "present": []}
THERE = {"item": 0, "changed": False, "copied": [], "present": [{"src": "/a.snap", "dest": DEST}]}
AWAY = {
    "item": 1,
    "changed": False,
    "failed": False,
    "msg": "the store is away",
    "failure": {"kind": "store"},
    "copied": [],
}


def test_each_store_has_its_own_result() -> None:
    assert backup_copies(PLACES, [AWAY, MADE]) == [
        {"path": PLACES[0], "archive": DEST, "made": True, "changed": True, "problem": ""},
        {
            "path": PLACES[1],
            "archive": None,
            "made": False,
            "changed": False,
            "problem": "/mnt/nfs (the store is away)",
        },
    ]


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"item": 0, "unreachable": True, "msg": "ssh"}, "s3://vault/consul (the host could not be reached)"),
        ({"item": 0, "failed": True, "msg": "no\x1b[2J"}, "s3://vault/consul (no\\x1b[2J)"),
        ({"item": 0, "changed": False, "msg": "MODULE FAILURE"}, "s3://vault/consul (MODULE FAILURE)"),
        ({}, "s3://vault/consul (no result)"),
    ],
)
def test_whatever_is_no_success_is_a_problem(result: dict[str, object], problem: str) -> None:
    assert [copy["problem"] for copy in backup_copies(PLACES[:1], [result])] == [problem]


def test_the_copy_on_the_controller_is_one_like_any_other() -> None:
    (copy,) = backup_copies([], [], fetched="/srv/vault/three/a.snap")
    assert copy == {
        "path": "/srv/vault/three",
        "archive": "/srv/vault/three/a.snap",
        "made": True,
        "changed": False,
        "problem": "",
    }


def test_what_is_there_already_is_not_new() -> None:
    assert backup_copies(PLACES[:1], [THERE])[0] == {
        **{"path": PLACES[0], "archive": DEST},
        **{"made": True, "changed": False, "problem": ""},
    }


def test_in_check_mode_it_is_told_what_would_be_copied() -> None:
    (there,) = backup_copies(PLACES[:1], [THERE], check=True)
    (new,) = backup_copies(PLACES[:1], [MADE], check=True)
    assert [(one["archive"], one["made"], one["changed"]) for one in (there, new)] == [
        (DEST, True, False),
        (DEST, False, True),
    ]
    assert backup_copies(PLACES[1:], [{**AWAY, "item": 0}], check=True)[0]["problem"] == "/mnt/nfs (the store is away)"


def test_in_check_mode_nothing_is_missing_that_is_not_written_yet() -> None:
    skipped = [{"item": 0, "skipped": True, "changed": False}]
    for copy in backup_copies(PLACES, skipped, fetched="/srv/a.snap", check=True):
        assert (copy["made"], copy["changed"], copy["problem"]) == (False, True, "")


def test_results_that_are_not_of_a_loop_over_numbers() -> None:
    with pytest.raises(AnsibleFilterError, match="results of snapshot_copy in a loop"):
        backup_copies(PLACES, [{"item": "s3://vault"}])
