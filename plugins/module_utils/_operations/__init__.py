# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules do: save, restore, rehearse, compare, list, report.

Each reads like its own description; pure functions decide, and thin code acts on the decision. ``restore`` and
``rehearse`` don't know each other.

Promises: what a module returns says what holds now, also after a failure. May import: all folders but ``_ansible``.
"""

from __future__ import annotations
