# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine: files that are replaced whole or not at all, signals, worker threads and processes, private directories.

Promises: a reader sees the old file or the new one at every instant, private from the first byte; a killed run leaves
nothing that the next one doesn't remove. Knows nothing of Consul.
May import: the errors.
"""

from __future__ import annotations
