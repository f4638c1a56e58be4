# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all requests about one store in S3 share: keys, what is stored with each new object, and pages of listings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from ..._errors import FailureKind, StoreError
from ..location import Location
from ..settings import ObjectLock, StoreSettings
from .s3_client import S3Client

NOT_THERE = (404, 405, 501)
"""Statuses by which a store says that it, or this bucket, has no such thing."""
_OF_A_LISTING = {"Bucket", "IsTruncated", "KeyCount", "MaxKeys", "Name", "Prefix"}
"""Some of these are in each page, also in an empty one. The SDK reads a web page as one with nothing in it."""
DAY = 86_400.0
"""Seconds."""


class S3Bucket:
    """A prefix of a bucket.

    :raises MissingLibraryError: boto3 is not installed here. :raises OptionError: the settings don't fit together.
    """

    def __init__(self, location: Location, settings: StoreSettings) -> None:
        self.location = location.as_store()
        self._settings = settings
        self._client = S3Client(location.bucket, settings)
        self._has_locks = False

    def place(self, name: str) -> str:
        """Return the URL of a name."""
        return str(self.location.child(name))

    def _key(self, name: str) -> str:
        return self.location.child(name).path

    def _attributes(self, lock: ObjectLock | None = None, until: float = 0.0) -> dict[str, Any]:
        """Return what is stored with a new object: by the settings, or with another lock until a time."""
        settings = self._settings
        if lock is not None or settings.object_lock is not None:
            self._require_locks()
        if lock is None and settings.object_lock is not None:
            lock, until = settings.object_lock, time.time() + settings.object_lock.days * DAY
        told = {
            "ServerSideEncryption": settings.sse,
            "SSEKMSKeyId": settings.sse_kms_key_id,
            "StorageClass": settings.storage_class,
            "ObjectLockMode": lock.mode if lock else None,
            "ObjectLockRetainUntilDate": date_of(until) if lock else None,
        }
        return {name: value for name, value in told.items() if value}

    def lock_configuration(self) -> dict[str, Any]:
        """Return what the bucket says of locks; nothing where it has none, or where the store has none."""
        try:
            told = self._client.call("GetObjectLockConfiguration", place=str(self.location))
        except StoreError as error:
            if error.facts.get("status") in NOT_THERE and error.kind != FailureKind.STORE_MISSING:
                return {}
            raise
        return dict(told.get("ObjectLockConfiguration") or {})

    def _require_locks(self) -> None:
        """Refuse to ask a store for a lock that knows nothing of locks: some take the request for the object itself.

        :raises StoreError: the bucket has no object lock.
        """
        if self._has_locks:
            return
        try:
            enabled = self.lock_configuration().get("ObjectLockEnabled") == "Enabled"
        except StoreError as error:
            if error.kind != FailureKind.STORE_DENIED:
                raise
            # A store that refuses to show it knows what it is.
            enabled = True
        if not enabled:
            raise StoreError(
                f"{self.location}: the bucket has no object lock",
                hint="Use a bucket that was created with object lock, or leave out store.object_lock.",
            )
        self._has_locks = True

    def _pages(self, operation: str, ask: tuple[str, ...], told: tuple[str, ...], prefix: str) -> Iterator[Any]:
        """Yield the pages of a listing; ``ask`` and ``told`` name what leads from one to the next."""
        params: dict[str, Any] = {"Prefix": prefix, "Delimiter": "/"}
        while True:
            page = self._client.call(operation, place=str(self.location), **params)
            if not _OF_A_LISTING & set(page):
                raise StoreError(
                    f"{self.location}: {operation} failed: the response is not a listing",
                    hint="Check store.endpoint_url: something else than an S3 service responds there.",
                    operation=operation,
                )
            yield page
            following = {name: page[value] for name, value in zip(ask, told) if page.get(value)}
            if not page.get("IsTruncated") or not following:
                return
            if all(params.get(name) == value for name, value in following.items()):
                raise StoreError(
                    f"{self.location}: {operation} does not come to an end", hint="Check store.endpoint_url."
                )
            params.update(following)


def date_of(seconds: float) -> datetime:
    """Return a time as the SDK takes it. In whole seconds, rounded up: a second less would be a shorter lock."""
    return datetime.fromtimestamp(-int(-seconds // 1), tz=timezone.utc)
