# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the role rehearsal that can't be used."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_problems import rehearsal_problems

GOOD: dict[str, Any] = {
    "cluster": "production",
    "src": "",
    "dir": "/srv/archives",
    "work_dir": "",
    "report_dir": "/srv/www",
    "textfile": "",
    "throttle": 4,
    "pick": "newest",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"src": "/srv/a.snap", "dir": ""},
        {"src": "s3://backups/a.snap.age", "dir": ""},
        {"dir": "gs://backups/consul/"},
        {"dir": "~/archives", "textfile": "/x.prom", "work_dir": "/var/tmp"},
        {"throttle": "12", "pick": "all"},
        {"pick": "2026-11-23T02:15:00Z"},
        {"catalogue": [{"path": "/a"}, {"path": "s3://b/c/", "store": {}}], "slo": {"copies": "3", "max_age": 60}},
    ],
)
def test_settings_that_can_be_used(changes: dict[str, Any]) -> None:
    assert rehearsal_problems({**GOOD, **changes}) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"cluster": ""}, "rehearsal_cluster must not be empty."),
        ({"dir": ""}, 'rehearsal_dir must be an absolute path, got "".'),
        ({"src": "a.snap"}, 'rehearsal_src must be an absolute path, got "a.snap".'),
        ({"dir": "s3://"}, "rehearsal_dir: s3:// is not followed by a bucket. Write s3://bucket/prefix/."),
        ({"report_dir": "s3://backups/x"}, "rehearsal_report_dir must be an absolute path, and can't be a URL."),
        ({"src": "s3://b/x/"}, "rehearsal_src must be the URL of one archive. Set rehearsal_dir to that of a store."),
        (
            {"src": "s3://b/newest"},
            "rehearsal_src must be the URL of one archive. Set rehearsal_dir to that of a store.",
        ),
        ({"throttle": 0}, 'rehearsal_throttle must be 1 or more, got "0".'),
        ({"throttle": "four"}, 'rehearsal_throttle must be 1 or more, got "four".'),
        (
            {"pick": "yesterday"},
            'rehearsal_pick must be newest, all, or a time such as 2026-11-23T02:15:00Z, got "yesterday".',
        ),
        (
            {"catalogue": [{"path": "/a"}, {"path": "b"}]},
            'rehearsal_catalogue[1].path must be an absolute path, got "b".',
        ),
        ({"catalogue": [{}]}, 'rehearsal_catalogue[0].path must be an absolute path, got "".'),
        ({"catalogue": [7]}, 'rehearsal_catalogue[0].path must be an absolute path, got "".'),
        (
            {"catalogue": [{"path": "s3://"}]},
            "rehearsal_catalogue[0].path: s3:// is not followed by a bucket. Write s3://bucket/prefix/.",
        ),
        ({"slo": {"copies": "many"}}, "rehearsal_slo is not valid: copies must be a number, 0 or more."),
        (
            {"slo": {"max-age": 1}},
            "rehearsal_slo is not valid: its keys are copies, places, max_age, max_rehearsal_age.",
        ),
    ],
)
def test_each_setting_that_cannot_be_used_is_named(changes: dict[str, Any], problem: str) -> None:
    assert rehearsal_problems({**GOOD, **changes}) == [problem]


def test_all_of_them_are_named() -> None:
    assert len(rehearsal_problems({**GOOD, "dir": "x", "textfile": "y", "pick": ""})) == 3


def test_settings_that_are_missing() -> None:
    with pytest.raises(AnsibleFilterError, match="needs the settings of a host"):
        rehearsal_problems({"cluster": "x"})
