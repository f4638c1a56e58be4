# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a cluster: verify the archive, look at the target, evaluate the guards, send once, wait, prove.

Promises: nothing is sent before every guard has agreed or its risk was accepted by name; an archive is sent at most
once; the result says what the cluster holds afterwards.
"""

from __future__ import annotations
