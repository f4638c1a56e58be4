# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of an archive: what was known when it was taken, as values and as JSON. It holds no secret."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .._errors import SnapshotError
from .._model.finding_meanings import REVISION
from .._model.identity import ClusterIdentity
from .._snapshot.checks.peerings import Peering
from .._snapshot.reader import Archive, Meta
from .._snapshot.records.fingerprint import Fingerprint
from .._system.atomic_files import Digest
from .._times import from_text, to_text
from .chronology import is_ahead

SCHEMA = "disaster_recovery.consul/manifest"
VERSION = 1
SEALED_FORMAT = "age"
RECENT_MS = 2000
"""Milliseconds since a server heard from its leader, up to which its answer counts as confirmed by that leader, which
sends heartbeats at least once a second with Consul's defaults."""

_DIGITS = 40


class Consistency(NamedTuple):
    """How far the answer may have lagged behind the leader; see Consul's consistency modes."""

    stale: bool
    last_contact_ms: int | None
    known_leader: bool | None

    @property
    def by_leader(self) -> bool:
        """Whether the answer was the leader's, or of a server that heard from it just before.

        KnownLeader alone proves nothing: it is still true just after the leader is lost (seen on 1.8.7 and 1.22.7).
        """
        if not self.stale:
            return True
        return self.known_leader is True and self.last_contact_ms is not None and self.last_contact_ms <= RECENT_MS


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
    cluster: ClusterIdentity
    consistency: Consistency
    fingerprint: Fingerprint | None
    records: dict[str, dict[str, int]]
    user_records: dict[str, int]
    config_kinds: tuple[str, ...] | None = None
    """The kinds of the config entries; None in a manifest that does not name them."""
    confirmed_by_leader: bool = True
    """False for an archive of a stale save that no leader has confirmed since: the cluster may be ahead of it."""
    findings: dict[str, int] | None = None
    """What won't restore well, as ``{name: count}``; None in a manifest that does not name it, or that was written when
    other findings were looked for."""
    peerings: tuple[Peering, ...] | None = None
    """The peerings; None in a manifest that does not name them."""
    sealed: Digest | None = None
    """What the bytes of the sealed archive have, as they lie there; ``size`` and ``sha256`` are the plain archive's."""

    @property
    def stored(self) -> Digest:
        """What the bytes have that lie in the store: those of the sealed archive, or of the plain one."""
        return self.sealed or Digest(self.size, self.sha256)


def manifest_for(
    archive: Archive, digest: Digest, *, file: str, cluster: ClusterIdentity, consistency: Consistency
) -> Manifest:
    """Return the manifest of an archive that was just verified; see ``taken_at_of`` for its time."""
    taken_at = taken_at_of(archive, time.time())
    return Manifest(
        file=file,
        size=digest.size,
        sha256=digest.sha256,
        meta_id=archive.meta.id,
        index=archive.meta.index,
        taken_at=taken_at,
        confirmed_at=taken_at,
        cluster=cluster,
        consistency=consistency,
        fingerprint=archive.state.fingerprint,
        records={name: asdict(stats) for name, stats in archive.state.records.items()},
        user_records=dict(archive.state.user_records),
        config_kinds=tuple(sorted(archive.state.config_kinds)),
        confirmed_by_leader=consistency.by_leader,
        findings={finding.name: finding.count for finding in archive.state.findings},
        peerings=archive.state.peerings,
    )


def cluster_of(archive: Archive, live: ClusterIdentity | None = None, name: str | None = None) -> ClusterIdentity:
    """Return which cluster an archive is of. The archive's own facts come first; ``live`` supplies what it lacks."""
    cluster = archive.state.origin.completed(live or ClusterIdentity(None, None, None))
    return cluster._replace(servers=servers_of(archive.meta) or cluster.servers, name=name)


def servers_of(meta: Meta) -> tuple[str, ...]:
    """Return the ids of the Raft servers that an archive names, sorted."""
    return tuple(sorted({server.id for server in meta.servers}))


def taken_at_of(archive: Archive, now: float) -> float:
    """Return when an archive was taken, by the server's clock; by ours where it gives no time or one far ahead."""
    by_server = archive.meta.taken_at
    return now if by_server is None or is_ahead(by_server, now) else by_server


def encode_manifest(manifest: Manifest) -> bytes:
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
        "cluster": manifest.cluster.as_json(),
        "consistency": manifest.consistency._asdict(),
        "fingerprint": manifest.fingerprint.as_json(),
        "records": manifest.records,
        "user_records": manifest.user_records,
        "confirmed_by_leader": manifest.confirmed_by_leader,
    }
    if manifest.config_kinds is not None:
        document["config_kinds"] = sorted(manifest.config_kinds)
    if manifest.findings is not None:
        document["findings"] = [{"name": name, "count": count} for name, count in manifest.findings.items()]
        document["findings_revision"] = REVISION
    if manifest.peerings is not None:
        document["peerings"] = [peering._asdict() for peering in manifest.peerings]
    if manifest.sealed is not None:
        document["sealed"] = {"format": SEALED_FORMAT, **manifest.sealed._asdict()}
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def decode_manifest(text: bytes) -> Manifest:
    """Read a manifest. It may come from anybody: whatever is not exactly what ``encode_manifest`` writes is refused.

    :raises SnapshotError: it is not a manifest of a version that we know.
    """
    try:
        document = document_of(text)
        if document["schema"] != SCHEMA or document["version"] != VERSION:
            raise SnapshotError("the manifest is of a schema or version that is not known here")
        archive, meta, kinds = document["archive"], document["meta"], document.get("config_kinds")
        taken_at, confirmed_at = from_text(document["taken_at"]), from_text(document["confirmed_at"])
        consistency = _consistency(document["consistency"])
        by_leader = document.get("confirmed_by_leader", consistency.by_leader or confirmed_at > taken_at)
        return Manifest(
            file=_text(archive["file"]),
            size=_count(archive["size"]),
            sha256=_text(archive["sha256"]),
            meta_id=_text(meta["id"]),
            index=_count(meta["index"]),
            taken_at=taken_at,
            confirmed_at=confirmed_at,
            cluster=cluster_from(document["cluster"]),
            consistency=consistency,
            fingerprint=Fingerprint.from_json(document["fingerprint"]),
            records={
                _text(name): {"count": _count(stats["count"]), "size": _count(stats["size"])}
                for name, stats in document["records"].items()
            },
            user_records={_text(name): _count(count) for name, count in document["user_records"].items()},
            config_kinds=None if kinds is None else tuple(map(_text, _list(kinds))),
            confirmed_by_leader=_flag(by_leader),
            findings=_findings(document),
            peerings=_peerings(document),
            sealed=_sealed(document),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise SnapshotError("the manifest can't be understood") from error


def document_of(text: bytes) -> dict[str, Any]:
    """Read a JSON object that may come from anybody.

    :raises ValueError: it is not one. :raises RecursionError: it is too deep.
    """
    document = json.loads(text, parse_int=_int_of_text, parse_constant=_refuse_constant)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def cluster_from(document: dict[str, Any]) -> ClusterIdentity:
    """Read the cluster that a manifest or a confirmation names.

    :raises ValueError: it is not as ``ClusterIdentity.as_json`` writes it; also AttributeError, TypeError.
    """
    servers = tuple(sorted({_text(server) for server in _list(document.get("servers", []))}))
    facts = {name: value if value is None else _text(value) for name, value in document.items() if name != "servers"}
    return ClusterIdentity(**facts, servers=servers)


def _consistency(document: dict[str, Any]) -> Consistency:
    contact, leader = document["last_contact_ms"], document["known_leader"]
    return Consistency(
        _flag(document["stale"]),
        contact if contact is None else _count(contact),
        leader if leader is None else _flag(leader),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode("utf-8")  # raises a ValueError for half of a surrogate pair, which nobody could print
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise ValueError("not a number of something")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _int_of_text(digits: str) -> int:
    # Reading a million digits takes Python seconds, and versions differ in whether they refuse.
    if len(digits) > _DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _findings(document: dict[str, Any]) -> dict[str, int] | None:
    if document.get("findings") is None or document.get("findings_revision") != REVISION:
        return None
    return {_text(finding["name"]): _count(finding["count"]) for finding in _list(document["findings"])}


def _sealed(document: dict[str, Any]) -> Digest | None:
    sealed = document.get("sealed")
    if sealed is None:
        return None
    if sealed["format"] != SEALED_FORMAT:
        raise ValueError("sealed in a way that is not known here")
    return Digest(_count(sealed["size"]), _text(sealed["sha256"]))


def _peerings(document: dict[str, Any]) -> tuple[Peering, ...] | None:
    if document.get("peerings") is None:
        return None
    return tuple(
        Peering(_text(peering["id"]), _text(peering["name"]), _text(peering["state"]), _flag(peering["dials"]))
        for peering in _list(document["peerings"])
    )
