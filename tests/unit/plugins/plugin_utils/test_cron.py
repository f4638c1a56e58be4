# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times that cron takes."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._cron import cron_problem


@pytest.mark.parametrize(
    "text",
    [
        "15 2 * * *",
        "0 0 1 1 0",
        "59 23 31 12 7",
        "*/15 * * * *",
        "0-30/10 2,14 * * *",
        "5 3 * jan-mar mon-fri",
        "5 3 * * MON,wed",
        "@daily",
        "@weekly",
    ],
)
def test_times_that_cron_takes(text: str) -> None:
    assert cron_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("*  * * * *", "five fields"),
        ("@reboot", "five fields"),
        ("@nightly", "five fields"),
        ("60 2 * * *", "minute"),
        ("a 2 * * *", "minute"),
        ("*/0 2 * * *", "minute"),
        ("5/10 2 * * *", "minute"),
        ("30-10 2 * * *", "minute"),
        ("1,,2 2 * * *", "minute"),
        ("% 2 * * *", "minute"),
        ("-1 2 * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of the month"),
        ("* * 32 * *", "day of the month"),
        ("* * * 13 *", "month"),
        ("* * * 0 *", "month"),
        ("* * * mon *", "month"),
        ("* * * * 8", "day of the week"),
        ("* * * * jan", "day of the week"),
        ("* * * * *\n", "day of the week"),
        ("٣ 2 * * *", "minute"),
    ],
)
def test_times_that_it_does_not(text: str, said: str) -> None:
    assert said in cron_problem(text)
