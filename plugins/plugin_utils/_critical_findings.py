# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in an archive stops servers that restore it, in sentences (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def critical_findings(judged: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each critical finding.

    :param judged: for each version of Consul, under ``item``, what snapshot_info said of it, with ``findings``.
    """
    return [
        f"Consul {one['item']} {_effect(finding)} this state: {finding['sentence']} "
        f"({', '.join(json.dumps(name) for name in finding['names'])})"
        for one in judged
        for finding in one["findings"]
        if finding["severity"] == "critical"
    ]


def _effect(finding: Mapping[str, Any]) -> str:
    return "may not restore" if finding["effect"] == "untested" else "does not survive a restore of"
