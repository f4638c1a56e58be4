# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file beside an archive that holds its manifest: where it lies, whether it is the archive's, how it is written."""

from __future__ import annotations

import os
from typing import NamedTuple

from .._errors import FileError, SnapshotError, printable
from .._system.atomic_files import Digest, directory_lock, read_beginning, sync_directory, write_private
from .manifest import Manifest, decode_manifest, encode_manifest

SUFFIX = ".manifest.json"
MATCHES, ABSENT, STALE, UNREADABLE = "matches", "absent", "stale", "unreadable"
"""How the file beside an archive stands to it: it is the archive's manifest; there is none; it was written for other
bytes; or it can't be understood."""

_LIMIT = 1 << 20


class ManifestMatch(NamedTuple):
    """What lies beside an archive: MATCHES, ABSENT, STALE or UNREADABLE; a manifest comes with MATCHES alone."""

    status: str
    manifest: Manifest | None


def manifest_path(archive: str) -> str:
    """Return where the manifest of an archive lies."""
    return archive + SUFFIX


def read_manifest(archive: str) -> Manifest | None:
    """Return the manifest beside an archive; None when there is none.

    :raises SnapshotError: the file is not a manifest, not a regular file, or can't be read.
    """
    path = manifest_path(archive)
    try:
        text = read_beginning(path, _LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"can't read {printable(path)}: {error.strerror}", path=path) from error
    if len(text) > _LIMIT:
        raise SnapshotError("the manifest is too large to be one")
    return decode_manifest(text)


def manifest_beside(archive: str, digest: Digest) -> ManifestMatch:
    """Return the manifest beside an archive when it was written for bytes with this digest."""
    try:
        manifest = read_manifest(archive)
    except SnapshotError:
        return ManifestMatch(UNREADABLE, None)
    if manifest is None:
        return ManifestMatch(ABSENT, None)
    matches = (manifest.size, manifest.sha256) == (digest.size, digest.sha256)
    return ManifestMatch(MATCHES, manifest) if matches else ManifestMatch(STALE, None)


def write_manifest(archive: str, manifest: Manifest) -> None:
    """Put a manifest beside an archive that is there already. It keeps the permissions of the one that it replaces.

    :raises FileError: it can't be written.
    """
    directory, path = os.path.dirname(archive) or ".", manifest_path(archive)
    with directory_lock(directory):
        write_private(path, encode_manifest(manifest), like=path)
    sync_directory(directory)
