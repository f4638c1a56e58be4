# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two states side by side: by fingerprint, record by record, across versions, and since a raft index.

Promises: memory is bounded by the number of records and by their names, not by their values.
May import: ``_model``, ``_snapshot``.
"""

from __future__ import annotations
