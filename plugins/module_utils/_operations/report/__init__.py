# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet's rehearsals and backups came to, as metrics and as the values that the report shows.

Promises: a missing figure is said to be missing; what another host returned is checked before it is shown.
"""

from __future__ import annotations
