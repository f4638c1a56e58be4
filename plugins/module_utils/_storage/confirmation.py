# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A confirmation: a later note, beside an archive, that its content is still the cluster's (pure).

It is a small object of its own, so that neither the archive nor its manifest is ever rewritten. Like a manifest it may
come from anybody: it counts only if it names the archive's bytes, and never with a time far ahead of now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from typing import NamedTuple

from .._errors import SnapshotError
from .._model.identity import ClusterIdentity
from .._times import from_text, to_name, to_text
from .chronology import is_ahead
from .manifest import Manifest, cluster_from, document_of

SCHEMA = "disaster_recovery.consul/confirmation"
VERSION = 1
LIMIT = 1 << 16
"""Bytes that a confirmation has at most."""
TRIED = 3
"""How many confirmations of one archive are read at most, the newest first, until one counts."""

_NAME = re.compile(r"^(.+)\.confirmed-(\d{8}T\d{6}Z)$", re.ASCII | re.DOTALL)


class Confirmation(NamedTuple):
    """What a confirmation says. ``sha256``: that of the archive's bytes as they are stored.

    ``confirmed_at``: seconds since the epoch. ``cluster``: the one that held the content, as it was then.
    """

    sha256: str
    confirmed_at: float
    cluster: ClusterIdentity


def confirmation_name(archive: str, confirmed_at: float) -> str:
    """Return the name of a confirmation of an archive: ``<archive>.confirmed-20261124T021500Z``."""
    return f"{confirmation_prefix(archive)}{to_name(confirmed_at)}"


def confirmation_prefix(archive: str) -> str:
    """Return what the names of all confirmations of an archive begin with."""
    return f"{archive}.confirmed-"


def archive_confirmed_by(name: str) -> str | None:
    """Return the name of the archive that an object of this name confirms; None when it is not a confirmation."""
    match = _NAME.match(name)
    return match.group(1) if match and _time_of(name) is not None else None


def by_archive(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of confirmations among names, by the archive that they confirm, the newest first."""
    found: dict[str, list[str]] = {}
    for name in names:
        archive = archive_confirmed_by(name)
        if archive is not None:
            found.setdefault(archive, []).append(name)
    # The times are of one length, so that their order is that of the text.
    return {archive: sorted(confirmations, reverse=True) for archive, confirmations in found.items()}


def to_read(names: Iterable[str], now: float) -> list[str]:
    """Return the confirmations of one archive that are worth reading, given the newest first: a few of those that
    don't lie far ahead of now."""
    believed = [name for name in names if not is_ahead(_time_of(name) or 0.0, now)]
    return believed[:TRIED]


def encode_confirmation(confirmation: Confirmation) -> bytes:
    """Return the confirmation as JSON text."""
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "archive": {"sha256": confirmation.sha256},
        "confirmed_at": to_text(confirmation.confirmed_at),
        "cluster": confirmation.cluster.as_json(),
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def decode_confirmation(text: bytes) -> Confirmation:
    """Read a confirmation, which may come from anybody.

    :raises SnapshotError: it is not one of a version that we know.
    """
    if len(text) > LIMIT:
        raise SnapshotError("the confirmation is too large to be one")
    try:
        document = document_of(text)
        if document["schema"] != SCHEMA or document["version"] != VERSION:
            raise SnapshotError("the confirmation is of a schema or version that is not known here")
        sha256 = document["archive"]["sha256"]
        if not isinstance(sha256, str):
            raise ValueError("not a checksum")
        return Confirmation(sha256, from_text(document["confirmed_at"]), cluster_from(document["cluster"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise SnapshotError("the confirmation can't be understood") from error


def counts(confirmation: Confirmation, name: str, manifest: Manifest, now: float) -> bool:
    """Whether a confirmation of this name is one of the archive that a manifest describes.

    It is not when it names other bytes, another time than its name does, another cluster, or lies far ahead of now.
    Servers may all have been replaced since, so they are not compared.
    """
    known, cluster = manifest.cluster, confirmation.cluster
    return (
        confirmation.sha256 == manifest.stored.sha256
        and int(confirmation.confirmed_at) == _time_of(name)
        and not is_ahead(confirmation.confirmed_at, now)
        and known.name in (None, cluster.name)
        and not known._replace(servers=()).contradicts(cluster)
    )


def merged(manifest: Manifest, confirmation: Confirmation, now: float) -> Manifest:
    """Return the manifest as it is with a confirmation that counts: the later of both times holds.

    :param now: a time of the manifest's own that lies far ahead of it is not believed.
    """
    believed = manifest.confirmed_by_leader and not is_ahead(manifest.confirmed_at, now)
    if believed and manifest.confirmed_at > confirmation.confirmed_at:
        return manifest
    known = manifest.cluster
    cluster = known._replace(
        servers=confirmation.cluster.servers or known.servers, name=confirmation.cluster.name or known.name
    )
    return replace(
        manifest,
        confirmed_at=confirmation.confirmed_at,
        confirmed_by_leader=True,
        cluster=cluster.completed(confirmation.cluster),
    )


def _time_of(name: str) -> float | None:
    match = _NAME.match(name)
    if match is None:
        return None
    try:
        return datetime.strptime(match.group(2), "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
