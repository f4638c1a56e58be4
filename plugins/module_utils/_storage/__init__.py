# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where archives lie: places and stores, what is beside an archive, its sealing, and which archive is meant.

``location`` and ``protocol`` say what a store is, ``backends`` are the kinds of them. ``manifest`` and ``confirmation``
are what is said of an archive, ``catalogue`` and ``store`` what is there, ``new_archive`` what is being put there.

Promises: nothing is overwritten but, in a directory, by a whole, verified archive; what is seen of an archive is whole;
a manifest or confirmation from outside is checked before it counts; a date that lies ahead of now never outranks
another. May import: ``_model``, ``_system``, ``_snapshot``.
"""

from __future__ import annotations
