# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksums of an object that is sent and read in parts of one size (pure).

S3 keeps, for an object of several parts, the SHA-256 of the SHA-256 of the parts, and says how many there were:
``<base64>-<parts>``. Whoever knows the size of a part can check every byte with it, wherever the object is read.
"""

from __future__ import annotations

import base64
import hashlib

from ..._errors import StoreError

PART = 8 << 20
"""Bytes of each part but the last. It is noted with the object, so that it may change."""


def encoded(digest: bytes) -> str:
    """Return a digest as S3 writes it."""
    return base64.b64encode(digest).decode("ascii")


def composite(digests: list[bytes]) -> str:
    """Return the checksum of an object from the SHA-256 of its parts."""
    return f"{encoded(hashlib.sha256(b''.join(digests)).digest())}-{len(digests)}"


class ReadCheck:
    """Compares all bytes of an object, as they come, with what the store keeps of it.

    :param sha256: of the whole object, in hex; None where that is not known.
    :param checksum: as the store says it, of the whole object or composite; None where it says none.
    :param part_size: bytes of each part but the last; 0 where that is not known.
    """

    def __init__(self, place: str, *, sha256: str | None, checksum: str | None, part_size: int) -> None:
        self._place = place
        self._expected: set[str] = set()
        self._whole = self._part = None
        parts = (checksum or "").rpartition("-")[2]
        if checksum and "-" in checksum and parts.isascii() and parts.isdigit() and part_size > 0:
            self._expected, self._part = {checksum}, hashlib.sha256()
        else:
            self._expected = {checksum} if checksum and "-" not in checksum else set()
            self._expected |= {encoded(_from_hex(sha256))} if sha256 else set()
            self._whole = hashlib.sha256() if self._expected else None
        self._part_size, self._in_part = part_size, 0
        self._digests: list[bytes] = []

    @property
    def checks(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self._expected)

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._whole is not None:
            self._whole.update(data)
        if self._part is None:
            return
        view = memoryview(data)
        while view:
            taken = view[: self._part_size - self._in_part]
            self._part.update(taken)
            self._in_part += len(taken)
            view = view[len(taken) :]
            if self._in_part == self._part_size:
                self._end_part()

    def require_match(self) -> None:
        """Check what was taken.

        :raises StoreError: the bytes are not those that were stored.
        """
        if self._part is not None and (self._in_part or not self._digests):
            self._end_part()
        found = composite(self._digests) if self._whole is None else encoded(self._whole.digest())
        if self._expected and self._expected != {found}:
            raise StoreError(
                f"{self._place}: the bytes that were read differ from those that were stored",
                hint="Read it again. If it fails again, the object is damaged: use another copy.",
            )

    def _end_part(self) -> None:
        if self._part is not None:
            self._digests.append(self._part.digest())
        self._part, self._in_part = hashlib.sha256(), 0


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        # It came from the store; nothing has this digest.
        return b""
