# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A comparison in words."""

from __future__ import annotations

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.diff_text import diff_of, summary_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_diff import TypeChange

CHANGES = {
    "ACLPolicy": TypeChange(0, 1, 0, {"added": [], "removed": ["old"], "changed": []}),
    "ConfigEntry": TypeChange(),
    "KVS": TypeChange(3, 0, 2, {"added": ["a", "z\nKVS forged"], "removed": [], "changed": ["m"]}),
}


def test_the_summary() -> None:
    assert summary_of(CHANGES) == "ACLPolicy: 1 removed; KVS: 3 added, 2 changed"
    assert summary_of({"KVS": TypeChange()}) == summary_of({}) == "equal"


def test_a_line_for_each_name_and_how_many_more() -> None:
    assert diff_of(CHANGES, before="x.snap", after="the live cluster") == {
        "before_header": "x.snap",
        "after_header": "the live cluster",
        "before": "ACLPolicy old\nKVS m (content a)\nKVS: 1 more (content a)\n",
        "after": "KVS a\nKVS m (content b)\nKVS z\\nKVS forged\nKVS: 1 more\nKVS: 1 more (content b)\n",
    }


def test_nothing_to_show() -> None:
    shown = diff_of({"KVS": TypeChange()}, before="x", after="y")

    assert (shown["before"], shown["after"]) == ("", "")
