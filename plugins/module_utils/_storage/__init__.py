# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where archives lie: the manifest beside each, the directory, its catalogue, and which archive is meant.

Promises: nothing is overwritten but by a whole, verified archive; a manifest from outside is checked before it counts;
a date that lies ahead of now never outranks another. May import: ``_model``, ``_system``, ``_snapshot``.
"""

from __future__ import annotations
