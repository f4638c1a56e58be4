# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as Go writes them in binary."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_go, to_text

# The first two are of archives of 1.8.7 and 1.22.7; UTC is written as an offset of -1.
TIMES = [
    ("010000000ee29631210fc95e600000", "2026-11-23T13:05:37Z"),
    ("010000000ef562341c00000000ffff", "2036-11-20T13:05:32Z"),
    ("010000000ee296312100000000003c", "2026-11-23T13:05:37Z"),
    ("020000000ee29631210000000000011e", "2026-11-23T13:05:37Z"),
    ("01000000000000000000000000ffff", None),
    ("010000000ee2963121", None),
    ("030000000ee296312100000000ffff", None),
    ("", None),
]


@pytest.mark.parametrize(("raw", "text"), TIMES)
def test_times(raw: str, text: str | None) -> None:
    assert to_text(from_go(bytes.fromhex(raw))) == text


@pytest.mark.parametrize("value", [None, 7, "2026", []])
def test_what_is_no_time(value: object) -> None:
    assert from_go(value) is None


def test_fractions_of_a_second() -> None:
    assert from_go(bytes.fromhex("010000000ee29631211dcd6500ffff")) == pytest.approx(1_795_439_137.5)
