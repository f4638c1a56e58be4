# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a cluster. ``run`` is the whole of it; each step is a file::

    look            verify the archive, read the cluster; sides is what it finds
    assess          all guards and the decision, in one plan; guards, guard_checks, guard_facts, next_steps
    safety_archive  keep what is replaced
    send            send once, say what the cluster holds; states, outcome
    prove           wait until the cluster is ready, compare its content, look at its peerings
    result          what the module shows of it at each moment

Promises: nothing is sent before every guard has agreed or its risk was accepted by name; an archive is sent at most
once; the result says what the cluster holds afterwards.
"""

from __future__ import annotations
