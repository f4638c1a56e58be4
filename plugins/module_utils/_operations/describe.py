# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying an archive and describing what is in it: one pass over its file, then values only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

from .._snapshot.checks.findings import Finding, as_results, judged_for, with_unreadable
from .._snapshot.reader import Archive
from .._snapshot.records.kv_prefixes import KvPrefixes
from .._snapshot.state import State
from .._storage.archive_file import read_archive_file
from .._storage.manifest_file import ManifestMatch, manifest_path
from .._system.atomic_files import Digest
from .._times import to_text
from .journal import Journal


class DescribeRequest(NamedTuple):
    """What is to be described: see the module's options of these names."""

    path: str
    kv_depth: int = 2
    kv_prefix: str = ""
    target_version: str | None = None


class Description(NamedTuple):
    """A verified archive, its file's digest, and what lies beside it."""

    path: str
    archive: Archive
    digest: Digest
    beside: ManifestMatch
    target_version: str | None = None
    """The version of Consul that the findings are judged for; None: for none in particular."""


def describe(request: DescribeRequest, journal: Journal) -> Description:
    """Read an archive to its last byte.

    :param journal: gets the phase ``read``.
    :raises FileError: it can't be read. :raises ArchiveError: it is not a whole archive.
    """
    prefixes = KvPrefixes(request.kv_depth, request.kv_prefix) if request.kv_depth else None
    with journal.phase("read"):
        file = read_archive_file(request.path, kv_prefixes=prefixes)
    return Description(request.path, file.records, file.digest, file.match, request.target_version)


def findings_of(state: State, target_version: str | None) -> list[Finding]:
    """Return what won't restore well, judged for a version of Consul; None: for none in particular."""
    if target_version is None:
        return judged_for(state.findings, None)
    return with_unreadable(
        state.findings,
        target_version,
        types=state.type_ids,
        config_kinds=state.config_kinds,
        archive_version=state.origin.consul_version,
    )


def result_of(description: Description) -> dict[str, Any]:
    """Return what the module's result shows; see its documentation."""
    meta, state = description.archive
    digest = description.digest
    return {
        "changed": False,
        "path": description.path,
        "size": digest.size,
        "sha256": digest.sha256,
        "verified": True,
        "meta": {
            "id": meta.id,
            "index": meta.index,
            "term": meta.term,
            "version": meta.version,
            "size": meta.size,
            "servers": [server._asdict() for server in meta.servers],
        },
        "taken_at": to_text(meta.taken_at),
        "origin": state.origin.as_origin(),
        "records": {name: asdict(stats) for name, stats in state.records.items()},
        "total_size": sum(stats.size for stats in state.records.values()),
        "kv_prefixes": [asdict(prefix) for prefix in state.kv_prefixes],
        "findings": as_results(findings_of(state, description.target_version)),
        "fingerprint": state.fingerprint.overall,
        "peerings": [peering._asdict() for peering in state.peerings],
        "manifest": _manifest_result(description.path, description.beside),
    }


def _manifest_result(path: str, beside: ManifestMatch) -> dict[str, Any]:
    result = {"path": manifest_path(path), "status": beside.status}
    if beside.manifest:
        result["confirmed_at"] = to_text(beside.manifest.confirmed_at) or ""
    return result
