# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The safety archive: what a restore replaces, saved first, in a directory or a bucket."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from ..._storage.location import parse_location
from ..._storage.manifest import Consistency, cluster_of, manifest_for
from ..._storage.new_archive import NewArchive
from ..._storage.opening import open_store
from ..._storage.protocol import Store
from ..._storage.settings import SealingSettings, StoreSettings
from ..._system.atomic_files import existing_part, make_directory, require_directory
from ..capture import Capture
from ..sealing import prepare_sealing
from .sides import RestoreRequest, Target


@contextlib.contextmanager
def safety_file(
    directory: str | None,
    *,
    check: bool,
    store: StoreSettings = StoreSettings(),  # noqa: B008
    sealing: SealingSettings = SealingSettings(),  # noqa: B008
) -> Iterator[NewArchive | None]:
    """Give what the cluster's state is written to; None without a directory, and in check mode.

    A restore that is refused, or that replaces nothing, leaves no file and no new directory behind.

    :param directory: the path or URL of a store.
    :raises FileError: files can't be put there. :raises StoreError: the bucket can't be used.
    """
    if not directory:
        yield None
        return
    location = parse_location(directory, "backup_dir")
    sealed = prepare_sealing(sealing)
    with contextlib.ExitStack() as stack:
        if location.is_local:
            stack.callback(_remove_empty, _directory_for(location.path, check=check))
        opened = open_store(location, store)
        if check:
            _look_into(opened)
            yield None
            return
        opened.clean()
        yield stack.enter_context(NewArchive(opened, seal=sealed.seal, sign=sealed.sign))


def _directory_for(directory: str, *, check: bool) -> tuple[str, ...]:
    """Make sure that files can be put into a directory, and return what had to be created for that."""
    if check:
        require_directory(existing_part(directory))
        return ()
    made = make_directory(directory)
    try:
        require_directory(directory)
    except BaseException:
        _remove_empty(made)
        raise
    return made


def _look_into(store: Store) -> None:
    """Make sure that a bucket is there and answers; of a directory that is known by now."""
    if not store.location.is_local:
        for item in store.list():
            del item
            break


def _remove_empty(made: tuple[str, ...]) -> None:
    for directory in reversed(made):
        # One that is not empty is in use by then.
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def publish(archive: NewArchive, request: RestoreRequest, target: Target, before: Capture) -> str:
    """Put the safety archive and its manifest in place, and return its path or URL.

    :raises FileError: that is not possible. :raises StoreError: the same of a bucket.
    """
    cluster = cluster_of(before.archive, target.cluster.identity if target.cluster else None, request.cluster)
    consistency = Consistency(False, before.headers.last_contact_ms, before.headers.known_leader)
    manifest = manifest_for(before.archive, before.digest, file="", cluster=cluster, consistency=consistency)
    return archive.publish(manifest).path
