# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The safety archive: what a restore replaces, saved first."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from ..._storage.manifest import Consistency, cluster_of, manifest_for
from ..._storage.store import put_new
from ..._system.atomic_files import AtomicFile, existing_part, make_directory, remove_leftovers, require_directory
from ..capture import Capture
from .sides import RestoreRequest, Target


@contextlib.contextmanager
def safety_file(directory: str | None, *, check: bool) -> Iterator[AtomicFile | None]:
    """Give the file that the cluster's state is written to; None without a directory, and in check mode.

    A restore that is refused, or that replaces nothing, leaves no file and no new directory behind.

    :raises FileError: files can't be put there.
    """
    if not directory:
        yield None
        return
    if check:
        require_directory(existing_part(directory))
        yield None
        return
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_empty, make_directory(directory))
        require_directory(directory)
        remove_leftovers(directory)
        yield stack.enter_context(AtomicFile(directory))


def _remove_empty(made: tuple[str, ...]) -> None:
    for directory in reversed(made):
        # One that is not empty is in use by then.
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def publish(partial: AtomicFile, request: RestoreRequest, target: Target, before: Capture) -> str:
    """Put the safety archive and its manifest in place, and return its path.

    :raises FileError: that is not possible.
    """
    cluster = cluster_of(before.archive, target.cluster.identity if target.cluster else None, request.cluster)
    consistency = Consistency(False, before.headers.last_contact_ms, before.headers.known_leader)
    manifest = manifest_for(before.archive, before.digest, file="", cluster=cluster, consistency=consistency)
    return put_new(partial, request.backup_dir or ".", manifest).path
