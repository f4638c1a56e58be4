# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The throwaway server that rehearsals restore into.

Promises: it listens on loopback only, joins nobody, and is gone with the process that started it.
May import: ``_model``, ``_system``, ``_consul``.
"""

from __future__ import annotations
