# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies beside an archive in its store: manifest, signature and confirmations; how they are read and matched."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from .._errors import FailureKind, SnapshotError, StoreError
from .._system.atomic_files import Digest
from .backends.local import LocalStore
from .confirmation import LIMIT as CONFIRMATION_LIMIT
from .confirmation import confirmation_prefix, counts, decode_confirmation, merged, to_read
from .manifest import Manifest, decode_manifest
from .protocol import Store

SUFFIX = ".manifest.json"
SIGNATURE_SUFFIX = ".sig"
MATCHES, ABSENT, STALE, UNREADABLE = "matches", "absent", "stale", "unreadable"
"""How the file beside an archive stands to it: it is the archive's manifest; there is none; it was written for other
bytes; or it can't be understood."""

_LIMIT = 1 << 20
_SIGNATURE_LIMIT = 1 << 16


class ManifestText(NamedTuple):
    """A manifest, and its bytes, which are what a signature is of."""

    text: bytes
    manifest: Manifest


class ManifestMatch(NamedTuple):
    """What lies beside an archive: MATCHES, ABSENT, STALE or UNREADABLE; a manifest comes with MATCHES alone.

    It is the one with the newest confirmation that counts, which no signature covers. ``manifest_text`` returns
    it as it was written.
    """

    status: str
    manifest: Manifest | None


def manifest_path(archive: str) -> str:
    """Return where the manifest of an archive lies, given its path, its URL, or its name in a store."""
    return archive + SUFFIX


def signature_path(archive: str) -> str:
    """Return where the signature over the manifest of an archive lies."""
    return manifest_path(archive) + SIGNATURE_SUFFIX


def manifest_text(store: Store, archive: str) -> ManifestText | None:
    """Return the manifest beside an archive of a store, as it was written; None when there is none.

    :raises SnapshotError: it is not a manifest, not a regular file, or can't be read.
    """
    try:
        text = store.read_small(manifest_path(archive), _LIMIT + 1)
    except StoreError as error:
        if error.kind is FailureKind.STORE_MISSING:
            return None
        raise
    if len(text) > _LIMIT:
        raise SnapshotError("the manifest is too large to be one")
    return ManifestText(text, decode_manifest(text))


def read_manifest(archive: str) -> Manifest | None:
    """Return the manifest beside an archive of this host, as it was written; None when there is none.

    :raises SnapshotError: the file is not a manifest, not a regular file, or can't be read.
    """
    store, name = local(archive)
    told = manifest_text(store, name)
    return told.manifest if told else None


def signature_beside(store: Store, archive: str) -> bytes | None:
    """Return the signature over the manifest of an archive; None when there is none.

    :raises SnapshotError: it can't be read.
    """
    try:
        return store.read_small(signature_path(archive), _SIGNATURE_LIMIT)
    except StoreError as error:
        if error.kind is FailureKind.STORE_MISSING:
            return None
        raise


def with_confirmations(store: Store, manifest: Manifest, confirmations: Sequence[str], now: float) -> Manifest:
    """Return the manifest of an archive with the newest of its confirmations that counts.

    :param confirmations: names in the store, the newest first; see ``confirmation.by_archive``.
    :raises StoreError: the store can't be reached. A confirmation that can't be understood doesn't count.
    """
    for name in to_read(confirmations, now):
        try:
            confirmation = decode_confirmation(store.read_small(name, CONFIRMATION_LIMIT + 1))
        except StoreError as error:
            if concerns_the_store(error):
                raise
            continue
        except SnapshotError:
            continue
        if counts(confirmation, name, manifest, now):
            return merged(manifest, confirmation, now)
    return manifest


def confirmations_of(store: Store, archive: str) -> list[str]:
    """Return the names of an archive's confirmations, the newest first.

    :raises SnapshotError: the store can't be read.
    """
    return sorted((item.name for item in store.list(confirmation_prefix(archive))), reverse=True)


def match_in(store: Store, archive: str, stored: Digest) -> ManifestMatch:
    """Return what lies beside an archive of a store whose stored bytes have this digest.

    :raises StoreError: the store can't be reached.
    """
    try:
        told = manifest_text(store, archive)
    except StoreError as error:
        if concerns_the_store(error):
            raise
        return ManifestMatch(UNREADABLE, None)
    except SnapshotError:
        return ManifestMatch(UNREADABLE, None)
    if told is None:
        return ManifestMatch(ABSENT, None)
    if told.manifest.stored != stored:
        return ManifestMatch(STALE, None)
    return ManifestMatch(MATCHES, confirmed_manifest(store, archive, told.manifest))


def confirmed_manifest(store: Store, archive: str, manifest: Manifest) -> Manifest:
    """Return the manifest of an archive with the newest confirmation that lies beside it and counts.

    :raises SnapshotError: the store can't be read.
    """
    return with_confirmations(store, manifest, confirmations_of(store, archive), time.time())


def manifest_beside(archive: str, digest: Digest) -> ManifestMatch:
    """Return the manifest beside an archive of this host when it was written for bytes with this digest."""
    store, name = local(archive)
    return match_in(store, name, digest)


def concerns_the_store(error: StoreError) -> bool:
    """Whether an error is of the store as a whole, and not of the one object that was asked for."""
    return error.kind in (FailureKind.STORE_UNAVAILABLE, FailureKind.STORE_CREDENTIALS)


def local(archive: str) -> tuple[LocalStore, str]:
    """Return the directory that an archive of this host lies in, as a store, and its name there."""
    directory, name = os.path.split(archive)
    return LocalStore.at(directory), name
