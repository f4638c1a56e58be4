# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two fingerprints side by side: the proof after a restore (pure)."""

from __future__ import annotations

from typing import Any

from .._snapshot.records.fingerprint import Fingerprint, differing_types


def prove(archive: Fingerprint, cluster: Fingerprint) -> dict[str, Any]:
    """Return ``{equal, differs: [type], types: {type: {archive, cluster, equal}}}``; the numbers count records."""
    differs = differing_types(archive, cluster)

    def count(fingerprint: Fingerprint, name: str) -> int:
        return fingerprint.types[name].count if name in fingerprint.types else 0

    return {
        "equal": not differs,
        "differs": differs,
        "types": {
            name: {"archive": count(archive, name), "cluster": count(cluster, name), "equal": name not in differs}
            for name in sorted({*archive.types, *cluster.types})
        },
    }
