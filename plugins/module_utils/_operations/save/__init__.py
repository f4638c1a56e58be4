# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving a cluster's state: destination, preflight, newest archive, capture, decision, publish or confirm.

``run`` is the flow, and each other file one step of it. ``decision`` and ``remarks`` are pure.

Promises: what lies at the destination changes only in the last step, once the new archive is whole, verified and on
the disk; a save that ends before leaves everything as it was. May import: all folders but ``_ansible``.
"""

from __future__ import annotations
