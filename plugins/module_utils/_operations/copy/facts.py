# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written beside a copy: the manifest as it was, or a new one from the records, and why (pure)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ..._errors import listed
from ..._model.identity import ClusterIdentity
from ..._snapshot.reader import Archive
from ..._storage.manifest import Consistency, Manifest, cluster_of, manifest_for
from ..._storage.manifest_file import ABSENT, MATCHES, UNREADABLE, ManifestMatch
from ..._system.atomic_files import Digest

_UNKNOWN = Consistency(stale=True, last_contact_ms=None, known_leader=None)
"""Of a snapshot of which nobody noted how it was taken: no leader is known to have confirmed it."""
_COMPARED = ("meta_id", "index", "fingerprint", "records", "user_records", "config_kinds", "peerings")
_OF_THEIR_TIME = {"token_expired", "ca_certificate_expired"}
"""Findings that an archive gets as time passes."""


class Facts(NamedTuple):
    """The manifest of a copy, as it is written anew. ``is_verbatim``: the one beside the archive may be taken as it is.

    ``remark``: why it may not.
    """

    manifest: Manifest
    is_verbatim: bool
    remark: str | None = None


def facts_of(match: ManifestMatch, archive: Archive, plain: Digest, *, cluster: ClusterIdentity, file: str) -> Facts:
    """Return the manifest for an archive whose records were read.

    The one that lies beside it is taken if it says what the records say. So a manifest that leaves something out is
    not passed on, into a place where it may be trusted.

    :param match: what lies beside it. ``cluster``: with the name that the archive is copied for.
    """
    own = manifest_for(archive, plain, file=file, cluster=cluster_of(archive, name=cluster.name), consistency=_UNKNOWN)
    known = match.manifest
    if match.status != MATCHES or known is None:
        reason = {ABSENT: None, UNREADABLE: "can't be read"}.get(match.status, "names other bytes")
        return Facts(own, False, None if reason is None else f"its manifest {reason}, and was replaced")
    wrong = contradicted(known, own)
    if wrong:
        return Facts(own, False, f"its manifest is wrong about {listed(wrong)}, and was replaced")
    # One of another version leaves out what this version knows.
    told = {name: getattr(own, name) for name in (*_COMPARED, "findings")}
    return Facts(replace(known, **told), True)


def contradicted(known: Manifest, own: Manifest) -> list[str]:
    """Return in what a manifest says something else than the records do. What it does not tell is no lie."""
    wrong = [name for name in _COMPARED if getattr(known, name) not in (None, getattr(own, name))]
    if known.findings is not None and _lasting(known.findings) != _lasting(own.findings or {}):
        wrong.append("findings")
    return wrong


def _lasting(findings: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in findings.items() if name not in _OF_THEIR_TIME}
