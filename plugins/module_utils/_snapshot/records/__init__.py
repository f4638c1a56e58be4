# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One record: where it begins and ends, its content without raft's bookkeeping, its name, its part of the fingerprint.

Promises: equal content has equal digests, whatever the order of maps or the raft index; a record of an unknown shape is
digested as its raw bytes. May import: ``_model``.
"""

from __future__ import annotations
