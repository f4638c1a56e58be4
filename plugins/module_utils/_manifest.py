# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest beside an archive: what was known when it was taken. It holds no secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from ._errors import SnapshotError
from ._fingerprint import Fingerprint
from ._identity import Cluster
from ._meanings import REVISION
from ._peerings import Peering
from ._times import from_text, to_text

SCHEMA = "disaster_recovery.consul/manifest"
VERSION = 1
SUFFIX = ".manifest.json"


class Consistency(NamedTuple):
    """How far the answer may have lagged behind the leader; see Consul's consistency modes."""

    stale: bool
    last_contact_ms: int | None
    known_leader: bool | None


@dataclass(frozen=True)
class Manifest:
    """What a manifest says; times are seconds since the epoch. ``fingerprint`` is None when it is of another version.

    ``records`` holds ``{type: {count, size}}``, ``user_records`` how many records of a type a user stored.
    """

    file: str
    size: int
    sha256: str
    meta_id: str
    index: int
    taken_at: float
    confirmed_at: float
    cluster: Cluster
    consistency: Consistency
    fingerprint: Fingerprint | None
    records: dict[str, dict[str, int]]
    user_records: dict[str, int]
    config_kinds: tuple[str, ...] | None = None
    """The kinds of the config entries; None in a manifest that does not tell."""
    findings: dict[str, int] | None = None
    """What won't restore well, as ``{name: count}``; None in a manifest that does not tell, or that was written when
    other findings were looked for."""
    peerings: tuple[Peering, ...] | None = None
    """The peerings; None in a manifest that does not tell."""


def path_of(archive: str) -> str:
    """Return where the manifest of an archive lies."""
    return archive + SUFFIX


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as JSON text."""
    if manifest.fingerprint is None:
        raise ValueError("a manifest is written with a fingerprint of this version only")
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "archive": {"file": manifest.file, "size": manifest.size, "sha256": manifest.sha256},
        "meta": {"id": manifest.meta_id, "index": manifest.index},
        "taken_at": to_text(manifest.taken_at),
        "confirmed_at": to_text(manifest.confirmed_at),
        "cluster": manifest.cluster._asdict(),
        "consistency": manifest.consistency._asdict(),
        "fingerprint": manifest.fingerprint.as_json(),
        "records": manifest.records,
        "user_records": manifest.user_records,
    }
    if manifest.config_kinds is not None:
        document["config_kinds"] = sorted(manifest.config_kinds)
    if manifest.findings is not None:
        document["findings"] = [{"name": name, "count": count} for name, count in manifest.findings.items()]
        document["findings_revision"] = REVISION
    if manifest.peerings is not None:
        document["peerings"] = [peering._asdict() for peering in manifest.peerings]
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def decode(text: bytes) -> Manifest:
    """Read a manifest.

    :raises SnapshotError: it is not a manifest of a version that we know.
    """
    try:
        document: dict[str, Any] = json.loads(text)
        if document["schema"] != SCHEMA or document["version"] != VERSION:
            raise SnapshotError("the manifest is of a schema or version that is not known here")
        archive, meta, kinds = document["archive"], document["meta"], document.get("config_kinds")
        return Manifest(
            file=str(archive["file"]),
            size=int(archive["size"]),
            sha256=str(archive["sha256"]),
            meta_id=str(meta["id"]),
            index=int(meta["index"]),
            taken_at=from_text(document["taken_at"]),
            confirmed_at=from_text(document["confirmed_at"]),
            cluster=Cluster(**document["cluster"]),
            consistency=Consistency(**document["consistency"]),
            fingerprint=Fingerprint.from_json(document["fingerprint"]),
            records={
                str(name): {"count": int(v["count"]), "size": int(v["size"])} for name, v in document["records"].items()
            },
            user_records={str(name): int(count) for name, count in document["user_records"].items()},
            config_kinds=None if kinds is None else tuple(str(one) for one in kinds),
            findings=_findings(document),
            peerings=_peerings(document),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotError("the manifest can't be understood") from error


def _findings(document: dict[str, Any]) -> dict[str, int] | None:
    if document.get("findings") is None or document.get("findings_revision") != REVISION:
        return None
    return {str(one["name"]): int(one["count"]) for one in document["findings"]}


def _peerings(document: dict[str, Any]) -> tuple[Peering, ...] | None:
    if document.get("peerings") is None:
        return None
    return tuple(
        Peering(str(one["id"]), str(one["name"]), str(one["state"]), bool(one["dials"])) for one in document["peerings"]
    )
