# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives stay: what a user asks for, periods of the calendar, and the one function that decides (all pure).

Promises: the newest verified archive of a cluster never goes, nor does what is held, locked or not ours; the order of
what is given doesn't matter; a second run removes nothing more; a further rule never removes more. May import: what
``_storage`` may.
"""

from __future__ import annotations
