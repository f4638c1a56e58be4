# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a state restores badly or not at all: findings, found in the pass that reads the archive.

``schema`` holds Consul's own definitions as data, ``conformance`` compares a record with them.
Promises: a finding names records by type and place, never by value. May import: ``_model``, ``records``.
"""

from __future__ import annotations
