# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a copy was asked for, and the archives that are meant."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from ..._errors import OptionError, SnapshotError, StoreError, printable
from ..._model.identity import ClusterIdentity
from ..._storage.archive_selection import NEWEST
from ..._storage.location import Location
from ..._storage.manifest import Manifest
from ..._storage.manifest_file import confirmed_manifest, manifest_text
from ..._storage.opening import open_store
from ..._storage.settings import SealingSettings, StoreSettings
from ..journal import Journal
from ..listing import ListRequest, list_archives
from .plan import names_archive


class CopyRequest(NamedTuple):
    """What is to be copied, and where: see the module's options of these names."""

    src: str
    dest: str
    store: StoreSettings = StoreSettings()
    dest_store: StoreSettings = StoreSettings()
    sealing: SealingSettings = SealingSettings()
    pick: str = NEWEST
    cluster: str | None = None
    create_directory: bool = False


class Candidate(NamedTuple):
    """An archive that may be copied. ``manifest``: the one beside it, with its newest confirmation, if it matches."""

    path: str
    manifest: Manifest | None
    cluster: ClusterIdentity

    @property
    def name(self) -> str:
        """Its name in its store."""
        return self.path.rpartition("/")[2]


def candidates_of(request: CopyRequest, src: Location, journal: Journal) -> list[Candidate]:
    """Return what is to be copied, the oldest first. No archive is read.

    :param journal: gets the phase ``read``.
    :raises OptionError: there is none. :raises FileError, StoreError: the store can't be read.
    """
    if names_archive(src, is_directory=src.is_local and os.path.isdir(src.path)):
        with journal.phase("read"):
            return [_one_candidate(request, src)]
    listing = list_archives(
        ListRequest(request.src, request.cluster, pick=request.pick, store=request.store), journal, time.time()
    )
    for remark in listing.remarks:
        journal.warn(remark)
    if not listing.archives:
        raise OptionError(
            f"src: there is no archive in {printable(request.src)} that could be copied",
            hint="Check the path, cluster and pick. snapshot_list shows what is there.",
        )
    return [Candidate(one.path, one.manifest, one.cluster) for one in reversed(listing.archives)]


def _one_candidate(request: CopyRequest, src: Location) -> Candidate:
    location, name = src.split()
    store = open_store(location, request.store)
    try:
        told = manifest_text(store, name)
    except StoreError:
        raise
    except SnapshotError:
        told = None
    manifest = confirmed_manifest(store, name, told.manifest) if told else None
    return Candidate(request.src, manifest, manifest.cluster if manifest else ClusterIdentity(None, None, None))
