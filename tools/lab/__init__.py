# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test laboratory: real Consul servers on loopback.

With ``tools`` on the module search path: ``from lab import Cluster, compare, observe``; ``from lab.seed import seed``.
For people and molecule: ``python -m lab --help``.
"""

from __future__ import annotations

from .cluster import Cluster, Tokens
from .comparison import Row, compare, losses, table
from .errors import LabError
from .oracle import observe
from .seed import Seeded
from .server import Server

__all__ = ["Cluster", "LabError", "Row", "Seeded", "Server", "Tokens", "compare", "losses", "observe", "table"]
