# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An object of S3 as a stream: one version of it, gone on with after a cut, and checked when it was read to its end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..._errors import FailureKind, StoreError
from ..protocol import SHA256
from .attempts import wait_before
from .checksums import PART, ReadCheck
from .s3_client import S3Client, metadata_of
from .s3_upload import PART_SIZE

_PIECE = 1 << 20
_LARGEST_PART = 1 << 32


class Reading:
    """Reads one object, from ``start`` on.

    :param version: what ``properties`` named; another one is refused. None: the one that is there.
    """

    def __init__(
        self,
        client: S3Client,
        key: str,
        place: str,
        *,
        start: int,
        version: str | None,
        retries: int,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._key, self._place = client, key, place
        self._position, self._version = start, version
        self._retries, self._pause = retries, pause
        self._size: int | None = None
        self._body: Any = None
        self._check: ReadCheck | None = None

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes.

        :raises StoreError: it can't be read, it was replaced, or the bytes are not those that were stored.
        """
        failures, safe = 0, self._position
        try:
            while self._size is None or self._position < self._size:
                try:
                    yield from self._one_answer()
                except StoreError as error:
                    # Each part that came through counts as a success.
                    failures = 0 if self._position - safe >= PART else failures
                    safe = self._position
                    if not error.retryable or failures == self._retries:
                        raise
                    self._pause(wait_before(failures, 0.0, random.random()))
                    failures += 1
        finally:
            self.close()
        if self._check is not None:
            self._check.require_match()

    def close(self) -> None:
        """End the connection, if there is one."""
        body, self._body = self._body, None
        if body is not None:
            body.close()

    def _one_answer(self) -> Iterator[bytes]:
        self.close()
        skip = self._ask()
        while True:
            with self._client.streaming(self._place):
                data = self._body.read(_PIECE)
            if not data:
                break
            skipped, data = data[:skip], data[skip:]
            skip -= len(skipped)
            if data:
                self._position += len(data)
                if self._size is not None and self._position > self._size:
                    raise self._cut()
                if self._check is not None:
                    self._check.update(data)
                yield data
        if self._size is not None and self._position < self._size:
            raise self._cut()

    def _ask(self) -> int:
        """Begin to read where we are; return how many bytes have to be skipped, where the store ignores ranges."""
        first = self._size is None
        params: dict[str, Any] = {"Key": self._key}
        if self._version:
            params["IfMatch"] = self._version
        if self._position:
            params["Range"] = f"bytes={self._position}-"
        else:
            params["ChecksumMode"] = "ENABLED"
        try:
            answer = self._client.call("GetObject", place=self._place, retries=0, **params)
        except StoreError as error:
            if first and error.facts.get("status") == 416:
                # There is nothing from there on.
                answer = self._client.head(self._key, place=self._place)
                self._size = min(int(answer["ContentLength"]), self._position)
                self._body = _Nothing()
                return 0
            raise
        self._body = answer["Body"]
        ranged = answer.get("ContentRange")
        size = int(answer["ContentLength"]) + (self._position if ranged else 0)
        if self._size not in (None, size):
            raise StoreError(f"{self._place}: the object was replaced while it was read", hint="Read it again.")
        self._size = size
        self._version = self._version or answer.get("ETag")
        if first and not self._position:
            check = check_of(answer, self._place)
            self._check = check if check.checks else None
        return 0 if ranged else self._position

    def _cut(self) -> StoreError:
        return StoreError(
            f"{self._place}: GetObject failed: the connection was closed before the whole response was there",
            kind=FailureKind.STORE_UNAVAILABLE,
            hint="Try again later.",
            retryable=True,
            operation="GetObject",
        )


class _Nothing:
    """The body of an answer that has none."""

    def read(self, _size: int) -> bytes:
        return b""

    def close(self) -> None:
        pass


def check_of(answer: dict[str, Any], place: str) -> ReadCheck:
    """Return the check of a whole object, from the answer that brings it."""
    metadata = metadata_of(answer)
    size = metadata.get(PART_SIZE, "")
    part_size = int(size) if size.isascii() and size.isdigit() and len(size) < 12 else 0
    return ReadCheck(
        place,
        sha256=metadata.get(SHA256),
        checksum=answer.get("ChecksumSHA256"),
        part_size=part_size if part_size <= _LARGEST_PART else 0,
    )
