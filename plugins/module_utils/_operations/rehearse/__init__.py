# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsing a restore: a throwaway server gets the archive, answers the assertions, and is compared with it.

Promises: no cluster in use is touched; nothing is left behind, also by a killed run.
"""

from __future__ import annotations
