# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive's manifest is worth: whose it is, who signed it, and whether it may stand in for the records.

Whoever may write to a store can put a manifest there that leaves out what guards look for. So a manifest stands in for
a reading of the records only where an allowed signer signed it or, where none are named, where nobody else can write.
Otherwise it is a hint.
"""

from __future__ import annotations

from typing import NamedTuple

from .._errors import SnapshotError, StoreError
from .._system.atomic_files import Digest
from .archive_source import ArchiveSource
from .manifest import Manifest
from .manifest_file import (
    ABSENT,
    MATCHES,
    STALE,
    SUFFIX,
    UNREADABLE,
    ManifestMatch,
    ManifestText,
    concerns_the_store,
    manifest_text,
    signature_beside,
)
from .sealing.signature_words import Signer
from .sealing.signatures import verify

NO_SIGNATURE, UNCHECKED, VALID, INVALID = "absent", "unchecked", "valid", "invalid"
SIGNATURE_STATUSES = (NO_SIGNATURE, UNCHECKED, VALID, INVALID)


class Signature(NamedTuple):
    """What is known of a manifest's signature. ``signer``: who made it, if VALID. ``reason``: why it is INVALID.

    UNCHECKED: there is one, and nobody was named who may sign.
    """

    status: str = NO_SIGNATURE
    signer: str | None = None
    reason: str = ""


class Beside(NamedTuple):
    """What lies beside an archive. ``manifest``: None where there is none, or where it ``is_unreadable``.

    ``is_trusted``: whether it may stand in for the records of the archive that it names.
    """

    manifest: Manifest | None
    is_unreadable: bool = False
    signature: Signature = Signature()
    is_trusted: bool = False

    def match(self, stored: Digest, plain: Digest) -> ManifestMatch:
        """Return whether the manifest is that of an archive whose bytes have these digests."""
        if self.is_unreadable:
            return ManifestMatch(UNREADABLE, None)
        if self.manifest is None:
            return ManifestMatch(ABSENT, None)
        # One that was opened by hand has its manifest still: it names the plain bytes as well.
        own = is_plain_of(self.manifest, plain) and stored in (plain, self.manifest.stored)
        return ManifestMatch(MATCHES, self.manifest) if own else ManifestMatch(STALE, None)


def is_plain_of(manifest: Manifest, plain: Digest) -> bool:
    """Whether a manifest names plain bytes of this digest."""
    return (manifest.size, manifest.sha256) == (plain.size, plain.sha256)


def fault_of(match: ManifestMatch, signature: Signature) -> str | None:
    """Return why an archive does not count as signed by somebody who may; None where it does (pure)."""
    if match.status == ABSENT:
        return "it has no manifest, so there is nothing that could be signed"
    if match.status == UNREADABLE:
        return "its manifest can't be read"
    if signature.status == NO_SIGNATURE:
        return "its manifest is not signed"
    if signature.status != VALID:
        return signature.reason or "the signature of its manifest was not checked"
    if match.status != MATCHES:
        return "its manifest is signed, but names another archive"
    return None


def look_beside(source: ArchiveSource) -> Beside:
    """Return what lies beside an archive: the bytes whose signature is checked are those that are understood.

    :raises StoreError: the store can't be reached. :raises SignatureError: signatures can't be checked on this host.
    """
    try:
        told = manifest_text(source.store, source.name)
    except SnapshotError as error:
        _let_pass(error)
        return Beside(None, is_unreadable=True)
    if told is None:
        return Beside(None)
    signature = _signature(source, told)
    trusted = signature.status == VALID if source.sealing.allowed_signers else source.is_private(SUFFIX)
    return Beside(told.manifest, signature=signature, is_trusted=trusted)


def _signature(source: ArchiveSource, told: ManifestText) -> Signature:
    sealing = source.sealing
    try:
        signature = signature_beside(source.store, source.name)
    except SnapshotError as error:
        _let_pass(error)
        return Signature(INVALID, reason="the signature can't be read")
    if signature is None:
        return Signature()
    if sealing.allowed_signers is None:
        return Signature(UNCHECKED)
    verdict = verify(
        told.text,
        signature,
        sealing.allowed_signers,
        taken_at=told.manifest.taken_at,
        revoked_signers=sealing.revoked_signers,
    )
    if isinstance(verdict, Signer):
        return Signature(VALID, verdict.identity)
    return Signature(INVALID, reason=verdict.reason)


def _let_pass(error: SnapshotError) -> None:
    """Raise an error again that says nothing of the object, because the store as a whole does not answer."""
    if isinstance(error, StoreError) and concerns_the_store(error):
        raise error
