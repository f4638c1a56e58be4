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
from .._storage.archive_file import ArchiveFile, read_archive_file
from .._storage.archive_source import NO_SEALING, NO_STORE, source_of
from .._storage.manifest_file import manifest_path
from .._storage.settings import SealingSettings, StoreSettings
from .._times import to_text
from .journal import Journal
from .storing import of_storing


class DescribeRequest(NamedTuple):
    """What is to be described: see the module's options of these names."""

    path: str
    kv_depth: int = 2
    kv_prefix: str = ""
    target_version: str | None = None
    store: StoreSettings = NO_STORE
    sealing: SealingSettings = NO_SEALING


class Description(NamedTuple):
    """A verified archive: what was read of it, and what lies beside it."""

    file: ArchiveFile
    target_version: str | None = None
    """The version of Consul that the findings are judged for; None: for none in particular."""
    confirmed_at: float | None = None
    """When its content was last the cluster's, by its manifest or a later confirmation; None without a manifest."""

    @property
    def archive(self) -> Archive:
        """What is in it."""
        return self.file.records


def describe(request: DescribeRequest, journal: Journal) -> Description:
    """Read an archive to its last byte.

    :param journal: gets the phase ``read``.
    :raises FileError: it can't be read. :raises StoreError: the same, in a bucket. :raises SealedError: nor opened.
    :raises ArchiveError: it is not a whole archive.
    """
    prefixes = KvPrefixes(request.kv_depth, request.kv_prefix) if request.kv_depth else None
    with journal.phase("read"):
        source = source_of(request.path, "path", request.store, request.sealing)
        file = read_archive_file(source, kv_prefixes=prefixes)
        manifest = file.confirmed_manifest()
    return Description(file, request.target_version, manifest.confirmed_at if manifest else None)


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
    file = description.file
    meta, state = description.archive
    digest = file.digest
    return {
        "changed": False,
        "path": file.source.shown,
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
        "manifest": _manifest_result(description),
        "stored": {"size": file.stored.size, "sha256": file.stored.sha256},
        **of_storing(file),
    }


def _manifest_result(description: Description) -> dict[str, Any]:
    file = description.file
    result = {"path": manifest_path(file.source.shown), "status": file.match.status}
    if description.confirmed_at is not None:
        result["confirmed_at"] = to_text(description.confirmed_at) or ""
    return result
