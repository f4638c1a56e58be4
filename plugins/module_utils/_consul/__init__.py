# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consul's HTTP API: the client, what its errors mean, retries, and facts about a live cluster.

Promises: every failure is one of the errors in ``_errors``, with a hint; a token is never part of a message; a request
that changes something is never repeated blindly. ``client`` and ``transport`` alone know the HTTP library.
May import: ``_model``.
"""

from __future__ import annotations
