# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing what a policy doesn't keep: list, decide, look closer, remove.

``run`` is the flow; ``view`` is what lies there, ``look`` decides with a closer look at what would stay and go, and
``remove`` acts. Which archives stay is decided in ``_storage/retention``.

Promises: nothing goes before all is decided; an archive goes before its manifest; what is held, locked, foreign or the
newest verified of its cluster stays. May import: all folders but ``_ansible`` and ``_consul``.
"""

from __future__ import annotations
