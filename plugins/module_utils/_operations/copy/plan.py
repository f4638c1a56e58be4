# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives are there already, and under which name the others get there (pure)."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from typing import NamedTuple

from ..._errors import OptionError, printable
from ..._model.identity import ClusterIdentity
from ..._storage.archive_names import ENDING, SEALED_ENDING, is_archive_name, is_sealed
from ..._storage.location import Location
from ..._storage.manifest_file import manifest_path, signature_path
from ..._storage.store import Entry


class Wanted(NamedTuple):
    """What a copy will be. ``sha256``: of the plain archive; None where it isn't known before it was read."""

    name: str
    sha256: str | None
    cluster: ClusterIdentity
    sealed: bool


def names_archive(src: Location, *, is_directory: bool) -> bool:
    """Whether ``src`` names one archive, and not a store of several.

    :param is_directory: whether a local one is a directory.
    """
    if src.is_local:
        return not is_directory
    return not src.is_store and is_archive_name(src.path)


def require_store(dest: Location) -> None:
    """Make sure that ``dest`` can be a store.

    :raises OptionError: it names an archive.
    """
    if not dest.is_local and is_archive_name(dest.path):
        raise OptionError(
            f"dest: {printable(dest)} names an archive", hint="Name the store, such as s3://bucket/consul/."
        )


def wanted(name: str, sha256: str | None, cluster: ClusterIdentity, *, seals: bool, called: str | None) -> Wanted:
    """Return what the copy of an archive will be.

    :param name: of the archive. ``sha256``, ``cluster``: as its manifest has them.
    :param seals: whether the copy is encrypted anew. ``called``: what an archive without a cluster's name is saved for.
    """
    plain = name[: -len(SEALED_ENDING)] if is_sealed(name) else name
    sealed = seals or is_sealed(name)
    known = cluster if cluster.name is not None else cluster._replace(name=called)
    return Wanted(plain + SEALED_ENDING if sealed else plain, sha256, known, sealed)


def holds(entry: Entry, copy: Wanted, sha256: str) -> bool:
    """Whether an archive that is there is this very archive, of the same cluster, and sealed or not as the copy.

    :param sha256: of the plain archive.
    """
    manifest = entry.manifest
    return (
        manifest.sha256 == sha256
        and manifest.cluster.name == copy.cluster.name
        and (manifest.sealed is not None) == copy.sealed
    )


def holding(entries: Iterable[Entry], copy: Wanted, sha256: str | None) -> list[Entry]:
    """Return the archives that make a copy unnecessary; none where the checksum is not known yet."""
    return [entry for entry in entries if sha256 is not None and holds(entry, copy, sha256)]


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name for a copy: its own, or with a number in it where something of the name is there.

    :param taken: all names in the store.
    """
    ending = next((end for end in (ENDING + SEALED_ENDING, ENDING, SEALED_ENDING) if name.endswith(end)), "")
    stem = name[: len(name) - len(ending)]
    for number in itertools.count(1):
        free = name if number == 1 else f"{stem}-{number}{ending}"
        if not {free, manifest_path(free), signature_path(free)} & set(taken):
            return free
    raise AssertionError("numbers do not end")
