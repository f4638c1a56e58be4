# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fleet, backed up and rehearsed: just the broken are named, all others are served."""

from __future__ import annotations

from pathlib import Path

from support.fleet import Fleet

SIZE = 9


def test_names_exactly_the_broken_ones(tmp_path: Path) -> None:
    with Fleet(tmp_path, SIZE) as fleet:
        part = fleet.part(SIZE)
        part.back_up()
        part.fill()
        part.rehearse()
