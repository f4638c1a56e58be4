# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is installed, for tests that import a part of it: import this first."""

from __future__ import annotations

import sys

from support.modules import collections_root

ROOT = str(collections_root())

if ROOT not in sys.path:
    sys.path.insert(0, ROOT)
