# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tool that seals or opens gave up with, as an error for users (pure)."""

from __future__ import annotations

import re

from ..._errors import ArchiveError, SealedError, SnapshotError
from .programs import FilterFailed

FAULT = "sealed"
"""The layer that ``ArchiveError.fault`` names when a sealed archive is damaged."""

AGE_INTRO, ARMOR_INTRO = b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----"
_PASSPHRASE_STANZA = b"\n-> scrypt "
_NO_MATCH = re.compile(r"no identity matched|no matching keys|incorrect identity", re.IGNORECASE)
_BAD_IDENTITY = re.compile(r"^reading \"|malformed secret key|identity file|unknown identity|passphrase", re.IGNORECASE)
_KEY = re.compile(r"(?i:AGE-SECRET-KEY-[A-Z0-9-]+)|AGE-PLUGIN-[A-Z0-9-]+")
_NOISE = re.compile(r"^((age|rage|error): *)+", re.IGNORECASE)

_FIPS = (
    "This host runs in FIPS mode, which does not allow the X25519 and ChaCha20 that age uses. Seal and open archives "
    "on a host without it, or have the store encrypt (sse in the option store)."
)


def words_of(failure: FilterFailed) -> str:
    """Return what a tool said, without anything that looks like a key."""
    return _KEY.sub("AGE-…", _NOISE.sub("", failure.words)).strip()


def sealing_failed(failure: FilterFailed, tool: str, *, fips: bool) -> SealedError:
    """Return the error for an archive that could not be encrypted."""
    words = words_of(failure)
    hint = _FIPS if fips else "The archive was not published. Try again; if it persists, run the same tool by hand."
    return SealedError(f"{tool} can't encrypt the archive: {words or 'it gives no reason'}", hint=hint)


def opening_failed(failure: FilterFailed, tool: str, identity_file: str, *, fips: bool) -> SnapshotError:
    """Return the error for an archive that could not be opened: SealedError, or ArchiveError where it is damaged."""
    words = words_of(failure)
    if failure.is_dead:
        return SealedError(f"{tool} can't open the archive: it {words}", hint=_FIPS if fips else "Try again.")
    if _NO_MATCH.search(words):
        return SealedError(
            f"the key in {identity_file} does not open this archive",
            hint="Set identity_file to a key that the archive was encrypted to. A header that was damaged looks the "
            "same: if the key is the right one, use another copy of the archive.",
        )
    if _BAD_IDENTITY.search(words):
        return identity_refused(failure, tool, identity_file)
    if fips:
        return SealedError(f"{tool} can't open the archive: {words or 'it gives no reason'}", hint=_FIPS)
    return damaged(words or "it gives no reason", tool)


def identity_refused(failure: FilterFailed, tool: str, identity_file: str) -> SealedError:
    """Return the error for a key that a tool can't read."""
    return SealedError(
        f"{tool} can't use the key in {identity_file}: {words_of(failure)}",
        hint="Set identity_file to a file with a secret key of age (AGE-SECRET-KEY-…), or to an ssh private key.",
    )


def damaged(reason: str, tool: str) -> ArchiveError:
    """Return the error for a sealed archive whose bytes are not those that were sealed."""
    return ArchiveError(
        f"the sealed archive is damaged or incomplete ({tool}: {reason})",
        fault=FAULT,
        hint="Nothing of it was used. Use another copy of the archive, or another archive.",
        retryable=False,
    )


def fault_at_the_start(head: bytes) -> SnapshotError | None:
    """Return the error for a file that can't be opened with a key, going by its first bytes; None where it may be."""
    if head.startswith(ARMOR_INTRO):
        return None
    if not head.startswith(AGE_INTRO):
        return ArchiveError(
            "the archive is not encrypted by age, though its name ends in .age",
            fault=FAULT,
            hint="The file was damaged or replaced. Use another copy; if it is a plain archive, rename it to .snap.",
            retryable=False,
        )
    if _PASSPHRASE_STANZA in head[: len(AGE_INTRO) + len(_PASSPHRASE_STANZA)]:
        return SealedError(
            "the archive is encrypted with a passphrase, not to a key",
            hint="Decrypt it by hand with age -d, and use the plain archive.",
        )
    return None
