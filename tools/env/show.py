# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print one of the places to a shell script: ``python3 -m env.show cache|checkout|linked|pythons``."""

from __future__ import annotations

import sys
from pathlib import Path

from env import places, pythons


def real_pythons() -> Path:
    """Return a directory that holds a link to each Python of this machine."""
    directory = places.cache() / "pythons"
    pythons.link_all(directory)
    return directory


SHOWN = {
    "cache": places.cache,
    "checkout": places.checkout_cache,
    "linked": places.linked_tree,
    "pythons": real_pythons,
}

if __name__ == "__main__":
    print(SHOWN[sys.argv[1]]())
