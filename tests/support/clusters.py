# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of clusters that tests started."""

from __future__ import annotations

from lab import Cluster


def end(cluster: Cluster) -> None:
    """Stop a cluster for good. Its logs stay; its data would fill the disk: 64 MiB for each new server at least."""
    cluster.stop()
    cluster.wipe()
