# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Google Cloud Storage, by google-cloud-storage.

* A new object is a resumable upload with ``ifGenerationMatch=0``: it appears with the last request, and only where
  there is nothing of its name. The service compares its CRC32C with ours.
* Its SHA-256 is known only at its end, and metadata is sent first: objects of more than one block have it in their
  manifest alone. Metadata is not added afterwards: credentials that may only create could not.
* An upload that was given up by a killed process ends by itself after a week; it can't be listed, and nobody sees it.
* Locks are object retention (``retention``), where the bucket has it; a hold is a temporary hold.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from ..._errors import FailureKind, StoreError
from ..location import Location
from ..protocol import Item, Properties, Remnant
from ..settings import COMPLIANCE, GOVERNANCE, ObjectLock, StoreSettings
from . import gcs_errors as gcs
from . import gcs_values as values
from .attempts import attempt
from .blocks import ranged
from .gcs_client import Connection, connect, require_library
from .gcs_upload import GcsWriter, ResumableUpload
from .gcs_values import Retention
from .refusals import Operation

T = TypeVar("T")

_DAY = 86400
_PAGE = 1000
_NO_RANGE = 416


class GcsStore:
    """A prefix of a bucket in Google Cloud Storage."""

    is_private = False

    def __init__(self, location: Location, settings: StoreSettings) -> None:
        """:raises MissingLibraryError: google-cloud-storage is not installed here."""
        require_library()
        self.location = location
        self._settings = settings
        self._connection: Connection | None = None

    @property
    def may_lock(self) -> bool:
        """Retention and holds can be set on each object."""
        return True

    def place(self, name: str) -> str:
        """Return the URL of a name."""
        return str(self.location.child(name))

    def list(self, prefix: str = "") -> Iterator[Item]:
        """Yield what is in the store, page by page."""
        token: str | None = None
        while True:
            blobs, token = self._do(gcs.LIST, partial(self._page, prefix, token))
            yield from values.items_of(blobs, self.location.path)
            if not token:
                return

    def _page(self, prefix: str, token: str | None, *, versions: bool = False) -> tuple[Sequence[Any], str | None]:
        found = self._connect().client.list_blobs(
            self._bucket(),
            prefix=self.location.path + prefix,
            delimiter="/",
            page_token=token,
            page_size=_PAGE,
            versions=versions or None,
            fields=None if versions else values.LISTED,
            timeout=self._settings.timeout,
            retry=None,
        )
        # One page of it: an iterator that failed once would end without a word.
        return list(next(found.pages, ())), found.next_page_token

    def properties(self, name: str) -> Properties:
        """Return what the bucket says of an object."""
        return values.properties_of(self._described(name))

    def _described(self, name: str, version: str | int | None = None) -> Any:
        def ask() -> Any:
            blob = self._blob(name, version)
            blob.reload(timeout=self._settings.timeout, retry=None)
            return blob

        return self._do(gcs.READ, ask, name)

    @contextlib.contextmanager
    def read(self, name: str, *, start: int = 0, version: str | None = None) -> Iterator[Iterator[bytes]]:
        """Give an object's bytes, by ranges of one generation of it."""
        blob = self._described(name, version)
        generation = int(blob.generation)

        def fetch(position: int, length: int) -> bytes:
            found = self._blob(name, generation)
            return self._do(gcs.READ, lambda: self._download(found, position, position + length - 1), name)

        check = values.check_of(self.place(name), blob.crc32c, values.sha256_of(blob))
        yield ranged(fetch, start=start, size=int(blob.size), place=self.place(name), check=check)

    def read_small(self, name: str, limit: int) -> bytes:
        """Return the first bytes of an object, by one request; a whole object is compared with its checksum."""
        found = self._blob(name)
        try:
            data = self._do(gcs.READ, lambda: self._download(found, 0, limit - 1), name)
        except StoreError as error:
            # Nothing can be asked for of an empty object.
            if error.facts.get("status") != _NO_RANGE:
                raise
            return b""
        if len(data) < limit:
            check = values.check_of(self.place(name), found.crc32c, None)
            check.update(data)
            check.require_match()
        return data[:limit]

    def _download(self, blob: Any, first: int, last: int) -> bytes:
        return bytes(
            blob.download_as_bytes(
                start=first,
                end=last,
                raw_download=True,
                checksum=None,
                timeout=self._settings.timeout,
                retry=None,
            )
        )

    def writer(self) -> GcsWriter:
        """Return a writer for one new object."""
        return self._writer(self._retention())

    def put_new(self, name: str, data: bytes) -> None:
        """Store a small object where there is none."""
        self._put_new(name, data, self._retention())

    def _writer(self, retention: Retention | None) -> GcsWriter:
        return GcsWriter(partial(self._begin, retention=retention), self._described, self._drop, self.place)

    def _put_new(self, name: str, data: bytes, retention: Retention | None) -> None:
        with self._writer(retention) as writer:
            writer.restart(name)
            writer.write(data)
            writer.publish(hashlib.sha256(data).hexdigest())

    def remove(self, name: str) -> None:
        """Remove an object by its generation, so that a bucket with versions does not keep it."""
        try:
            self._remove(name, self._described(name).generation)
        except StoreError as error:
            if error.kind is not FailureKind.STORE_MISSING or error.facts.get("code") == gcs.NO_BUCKET:
                raise

    def _remove(self, name: str, version: int) -> None:
        blob = self._blob(name, version)
        self._do(gcs.DELETE, lambda: blob.delete(timeout=self._settings.timeout, retry=None), name)

    def clean(self) -> Sequence[str]:
        """Return nothing: uploads that were given up can't be listed, and end by themselves after a week."""
        return ()

    def extend_lock(self, name: str) -> float | None:
        """Lengthen an object's retention; its mode stays, because only special credentials may change that."""
        wanted = self._retention()
        if wanted is None:
            return None
        blob = self._described(name)
        known = values.properties_of(blob)
        if known.locked_until is not None and known.locked_until >= wanted[1]:
            return known.locked_until
        mode = blob.retention.mode or wanted[0]

        def ask() -> None:
            changed = self._blob(name, blob.generation)
            values.retain(changed, (mode, wanted[1]))
            changed.patch(timeout=self._settings.timeout, retry=None)

        self._do(gcs.RETAIN, ask, name)
        return wanted[1]

    def hold(self, name: str, *, on: bool) -> None:
        """Set or take back a temporary hold, which has no end of its own."""

        def ask() -> None:
            blob = self._blob(name)
            blob.temporary_hold = on
            blob.patch(timeout=self._settings.timeout, retry=None)

        self._do(gcs.HOLD, ask, name)

    # ---- What store_check asks

    def versioning(self) -> bool | None:
        """Return whether the bucket keeps older versions, or what was removed (soft delete)."""
        return values.keeps_removed(self._described_bucket())

    def lock_default(self) -> ObjectLock | None:
        """Return the bucket's retention policy."""
        bucket = self._described_bucket()
        if not bucket.retention_period:
            return None
        mode = COMPLIANCE if bucket.retention_policy_locked else GOVERNANCE
        return ObjectLock(mode, -(-int(bucket.retention_period) // _DAY))

    def _described_bucket(self) -> Any:
        def ask() -> Any:
            bucket = self._bucket()
            bucket.reload(timeout=self._settings.timeout, retry=None)
            return bucket

        return self._do(gcs.BUCKET, ask)

    def overwrite(self, name: str, data: bytes) -> None:
        """Store an object whatever is there."""

        def ask() -> None:
            blob = self._blob(name)
            blob.upload_from_string(data, checksum=None, timeout=self._settings.timeout, retry=None)

        self._do(gcs.OVERWRITE, ask, name)

    def accepts_wrong_checksum(self, name: str, data: bytes) -> bool | None:
        """Upload an object with the checksum of other bytes."""
        wrong = values.new_crc32c()
        wrong.update(data + b"wrong")
        upload = self._begin(name, {}, wrong.digest(), retention=None)
        try:
            upload.finish(data, wrong.digest())
        except StoreError as error:
            if error.facts.get("status") != 400:
                raise
            return False
        finally:
            upload.cancel()
        return True

    def put_locked(self, name: str, data: bytes, lock: ObjectLock, until: float) -> None:
        """Store a new object with a retention until a time."""
        self._put_new(name, data, (values.MODES[lock.mode], until))

    def purge(self, name: str) -> Sequence[Remnant]:
        """Remove an object with all generations."""
        remnants = []
        blobs, _token = self._do(gcs.LIST, lambda: self._page(name, None, versions=True), name)
        for blob in blobs:
            if blob.name != self.location.child(name).path:
                continue
            try:
                self._remove(name, blob.generation)
            except StoreError as error:
                if error.kind is not FailureKind.STORE_MISSING:
                    remnants.append(Remnant(name, error.message, values.properties_of(blob).locked_until))
        return remnants

    # ---- For the writer

    def _begin(
        self, name: str, metadata: dict[str, str], crc32c: bytes | None, *, retention: Retention | None
    ) -> ResumableUpload:
        operation = gcs.CREATE_LOCKED if retention else gcs.CREATE

        def ask() -> str:
            blob = self._blob(name)
            if self._settings.sse_kms_key_id:
                blob.kms_key_name = self._settings.sse_kms_key_id
            if self._settings.storage_class:
                blob.storage_class = self._settings.storage_class
            blob.metadata = metadata
            if crc32c is not None:
                blob.crc32c = values.in_base64(crc32c)
            if retention is not None:
                values.retain(blob, retention)
            return str(
                blob.create_resumable_upload_session(
                    content_type="application/octet-stream",
                    if_generation_match=0,
                    checksum=None,
                    timeout=self._settings.timeout,
                    retry=None,
                )
            )

        url = self._do(operation, ask, name)
        return ResumableUpload(
            self._connect().session,
            url,
            timeout=self._settings.timeout,
            persist=lambda once: self._do(operation, once, name),
            place=self.place(name),
        )

    def _drop(self, name: str, generation: int) -> None:
        with contextlib.suppress(StoreError):
            self._remove(name, generation)

    def _retention(self) -> Retention | None:
        lock = self._settings.object_lock
        return (values.MODES[lock.mode], time.time() + lock.days * _DAY) if lock else None

    # ---- Requests

    def _do(self, operation: Operation, action: Callable[[], T], name: str | None = None) -> T:
        place = str(self.location) if name is None else self.place(name)
        return attempt(
            action,
            lambda error: gcs.fault_of(error, place, operation, bucket=self.location.bucket),
            self._settings.retries,
        )

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._do(gcs.SIGN_IN, lambda: connect(self._settings))
        return self._connection

    def _bucket(self) -> Any:
        return self._connect().client.bucket(self.location.bucket, user_project=self._settings.project)

    def _blob(self, name: str, version: str | int | None = None) -> Any:
        generation = int(version) if version is not None else None
        return self._bucket().blob(self.location.child(name).path, generation=generation)
