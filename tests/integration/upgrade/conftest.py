# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes in docs/hooks.md."""

from __future__ import annotations

import re

from env import places

BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[str]:
    """Return all that stands there in blocks of its own: plays, scripts, units."""
    return BLOCK.findall((places.CHECKOUT / "docs" / "hooks.md").read_text(encoding="utf-8"))
