# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a save ended, as the module's result shows it (pure); see the module's documentation."""

from __future__ import annotations

from typing import Any

from ..._snapshot.checks.findings import as_results
from ..._storage.archive_names import is_sealed
from ..._storage.manifest_file import manifest_path, signature_path
from ..._storage.store import Entry
from ..._times import to_text
from .run import Saved


def result_of(saved: Saved) -> dict[str, Any]:
    """Return what the result shows of a save."""
    manifest = saved.entry.manifest
    result: dict[str, Any] = {
        "changed": saved.decision.go,
        "dest": saved.entry.path,
        "written": saved.decision.go,
        "created_directories": list(saved.created),
        "manifest": manifest_path(saved.entry.path),
        "signature": signature_path(saved.entry.path) if saved.entry.signed else None,
        "sealed": is_sealed(saved.entry.path),
        "stored": {"size": manifest.stored.size, "sha256": manifest.stored.sha256},
        "sealed_with": saved.sealed_with,
        "locked_until": to_text(saved.locked_until),
        "reason": saved.decision.reason,
        "index": manifest.index,
        "size": manifest.size,
        "sha256": manifest.sha256,
        "fingerprint": manifest.fingerprint.overall if manifest.fingerprint else None,
        "records": manifest.records,
        "cluster": manifest.cluster.as_json(),
        "rebuilt": saved.rebuilt,
        "taken_at": to_text(manifest.taken_at),
        "confirmed_at": to_text(manifest.confirmed_at) if manifest.confirmed_by_leader else None,
        "confirmed_by_leader": saved.by_leader,
        "diff": {
            "before": described(saved.before),
            "after": described(saved.entry if saved.decision.go else saved.before),
        },
    }
    if saved.taken:
        result["known_leader"] = saved.taken.headers.known_leader
        result["last_contact_ms"] = saved.taken.headers.last_contact_ms
        result["findings"] = as_results(saved.findings)
    return result


def described(entry: Entry | None) -> dict[str, Any]:
    """Return what a diff shows of an archive; nothing where there is none."""
    if entry is None:
        return {}
    manifest = entry.manifest
    durable = manifest.fingerprint.types if manifest.fingerprint else {}
    return {
        "dest": entry.path,
        "index": manifest.index,
        "size": manifest.size,
        "fingerprint": manifest.fingerprint.overall if manifest.fingerprint else None,
        "records": {name: stats for name, stats in manifest.records.items() if name in durable},
    }
