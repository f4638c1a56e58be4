# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Consul is, apart from any server: record types, versions and what they can restore, cluster identity.

Promises: values in, values out; no I/O, no clock. The tables name the Consul sources they were read from.
May import: the errors.
"""

from __future__ import annotations
