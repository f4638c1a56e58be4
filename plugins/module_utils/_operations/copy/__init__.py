# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying archives from store to store: what is to be copied, one pass over each, and what lies beside the copy.

``run`` is the flow, ``passing`` the one pass over an archive, ``plan`` and ``facts`` decide and are pure.

Promises: an archive is read once, and is visible in the other store only after it was verified; a manifest that does
not describe its archive is not passed on; nothing is overwritten. May import: all folders but ``_ansible``.
"""

from __future__ import annotations
