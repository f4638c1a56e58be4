# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One resumable upload of Google Cloud Storage: the loop that the SDK has for files, for bytes that come as they come.

https://cloud.google.com/storage/docs/performing-resumable-uploads. The SDK begins the upload, so that its settings and
conditions are in it. What follows are plain PUTs to the URL that it gets; it asks for a file that can be read again.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable
from typing import Any, Optional

from ..._errors import FailureKind, StoreError
from ..protocol import SHA256
from .blocks import UPLOAD, BlockBuffer, require_sha256
from .gcs_values import crc32c_hex, in_base64, new_crc32c

_GOES_ON = 308
_RANGE = re.compile(r"bytes=0-(\d{1,19})")

Begin = Callable[[str, dict[str, str], Optional[bytes]], "ResumableUpload"]


class ResumableUpload:
    """Bytes of one object on their way. Nothing is visible before ``finish`` returns.

    ``persist``: calls what it gets until it succeeds, as often as that is worth it, and raises StoreError.
    """

    def __init__(
        self, session: Any, url: str, *, timeout: int, persist: Callable[[Callable[[], None]], None], place: str
    ) -> None:
        self._session = session
        self._url = url
        self._timeout = timeout
        self._persist = persist
        self._place = place
        self._stored = 0
        self.unsure = False
        """Whether a request was sent whose answer is not known."""
        self._resource: dict[str, Any] | None = None

    def send(self, block: bytes) -> None:
        """Append a block of a multiple of 256 KiB."""
        self._put(block, "*", {})

    def finish(self, block: bytes, crc32c: bytes) -> dict[str, Any]:
        """Append the last block, which may be empty only if it is the first one, and return what the store made of it.

        :param crc32c: of all bytes. The store refuses the object if its bytes have another one.
        """
        total = str(self._stored + len(block))
        self._put(block, total, {"X-Goog-Hash": f"crc32c={in_base64(crc32c)}"})
        if self._resource is None:
            raise self._cut("the store did not end the upload")
        return self._resource

    def cancel(self) -> None:
        """Give the upload up. If that fails, the store drops it after a week; nothing of it is ever visible."""
        with contextlib.suppress(Exception):
            self._session.delete(self._url, timeout=min(self._timeout, 10))

    def _put(self, block: bytes, total: str, headers: dict[str, str]) -> None:
        start, end = self._stored, self._stored + len(block)

        def once() -> None:
            if self.unsure:
                self._look()
            if not start <= self._stored <= end:
                raise self._cut("the store has lost what it had received", retryable=False)
            if self._resource is None and (self._stored < end or total != "*"):
                self._send(block[self._stored - start :], total, headers)
            if self._resource is None and (self._stored < end or total != "*"):
                raise self._cut("only a part of what was sent has arrived")

        self._persist(once)

    def _send(self, data: bytes, total: str, headers: dict[str, str]) -> None:
        content_range = f"bytes {self._stored}-{self._stored + len(data) - 1}/{total}" if data else f"bytes */{total}"
        self.unsure = True
        self._take(self._request(data, {**headers, "Content-Range": content_range}))

    def _look(self) -> None:
        """Ask how much has arrived, or whether the object is there already: an answer may have been lost."""
        self._take(self._request(b"", {"Content-Range": "bytes */*"}))

    def _request(self, data: bytes, headers: dict[str, str]) -> Any:
        return self._session.put(self._url, data=data, headers=headers, timeout=self._timeout, allow_redirects=False)

    def _take(self, response: Any) -> None:
        from google.api_core.exceptions import from_http_response

        if response.status_code in (200, 201):
            self._resource = response.json()
        elif response.status_code == _GOES_ON:
            arrived = _RANGE.fullmatch(response.headers.get("Range", ""))
            self._stored = int(arrived.group(1)) + 1 if arrived else 0
        elif response.status_code in (404, 410):
            raise self._cut("the store no longer knows the upload", retryable=False)
        else:
            raise from_http_response(response)
        self.unsure = False

    def _cut(self, why: str, *, retryable: bool = True) -> StoreError:
        return StoreError(
            f"{self._place}: the upload failed: {why}",
            kind=FailureKind.STORE_UNAVAILABLE if retryable else FailureKind.STORE,
            hint="Nothing of it is visible. Try again.",
            retryable=True,
        )


class GcsWriter:
    """One new object under way.

    ``begin``: begins the upload of a name, with metadata, and with the CRC32C where it is known already. ``find``: asks
    for what is stored under a name. ``drop``: removes a generation of a name as far as that is allowed. ``place``: the
    URL of a name.
    """

    def __init__(
        self,
        begin: Begin,
        find: Callable[[str], Any],
        drop: Callable[[str, int], None],
        place: Callable[[str], str],
    ) -> None:
        self._begin = begin
        self._find = find
        self._drop = drop
        self._place = place
        self._name = ""
        self._upload: ResumableUpload | None = None
        self._clear()

    def _clear(self) -> None:
        if self._upload is not None:
            self._upload.cancel()
        self._upload = None
        self._buffer = BlockBuffer()
        self._running = new_crc32c()
        self._size = 0
        self._number = secrets.token_hex(12)

    def __enter__(self) -> GcsWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._clear()

    def restart(self, name: str) -> None:
        """Give up what is under way, and begin anew under this name."""
        self._clear()
        self._name = name

    def write(self, data: bytes) -> None:
        """Append bytes; whole blocks are sent at once."""
        self._running.update(data)
        self._size += len(data)
        for block in self._buffer.add(data):
            if self._upload is None:
                self._upload = self._begin(self._name, {UPLOAD: self._number}, None)
            self._upload.send(block)

    def sync(self) -> None:
        """Do nothing: what fills a block has arrived, and the rest goes with the request that publishes."""

    def publish(self, sha256: str) -> str:
        """Send what is left, with the checksum of all: the object is there with the answer."""
        rest = self._buffer.rest()
        if self._upload is None:
            require_sha256(rest, sha256, self._place(self._name))
            self._upload = self._begin(self._name, {UPLOAD: self._number, SHA256: sha256}, self._running.digest())
        try:
            resource = self._upload.finish(rest, self._running.digest())
        except StoreError:
            stored = self._stored_after_all(self._upload)
            if stored is None:
                raise
            resource = stored
        self._upload = None
        self._require_stored(resource)
        return self._name

    def _stored_after_all(self, upload: ResumableUpload) -> dict[str, Any] | None:
        """Return the object if it is this one: the answer that it is there may have been lost."""
        if not upload.unsure:
            return None
        try:
            found = self._find(self._name)
        except StoreError:
            return None
        if (found.metadata or {}).get(UPLOAD) != self._number:
            return None
        return {"size": found.size, "crc32c": found.crc32c, "generation": found.generation}

    def _require_stored(self, resource: dict[str, Any]) -> None:
        told = (str(resource.get("size")), crc32c_hex(resource.get("crc32c")))
        if told != (str(self._size), self._running.digest().hex()):
            self._drop(self._name, int(resource["generation"]))
            raise StoreError(
                f"{self._place(self._name)}: the store holds other bytes than were sent",
                hint="The object was removed as far as the credentials allow it. snapshot_list shows what is there.",
            )
