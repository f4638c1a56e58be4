# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in a bucket of Amazon S3, or of anything that speaks its protocol. See ``protocol`` for what it promises."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator

from ..._errors import FailureKind, StoreError
from ..protocol import SHA256, Item, Properties
from .s3_bucket import DAY, date_of
from .s3_client import metadata_of
from .s3_direct import Answer, as_sdk, is_removal, is_whole_object
from .s3_probes import S3Probes
from .s3_reading import Reading, check_of
from .s3_upload import NO_UPLOAD, S3Writer, abort, put_new

_STALE_AFTER = 86_400.0
"""Seconds after which an upload that nobody ended was left behind by a writer that was killed."""
_ENDINGS = (".snap", ".snap.age")
"""What is uploaded in parts: uploads of other programs that share a prefix are theirs."""


class S3Store(S3Probes):
    """A prefix of a bucket.

    :raises MissingLibraryError: boto3 is not installed here. :raises OptionError: the settings don't fit together.
    """

    @property
    def is_private(self) -> bool:
        """Nobody can tell from here who else may write into a bucket."""
        return False

    @functools.cached_property
    def may_lock(self) -> bool:
        """Only objects of a bucket with object lock can be locked; where it does not say, any may be."""
        try:
            return self.lock_configuration().get("ObjectLockEnabled") == "Enabled"
        except StoreError:
            return True

    def list(self, prefix: str = "") -> Iterator[Item]:
        """Yield what is in the store.

        :raises StoreError: it can't be listed.
        """
        own = self.location.path
        for page in self._pages("ListObjectsV2", ("ContinuationToken",), ("NextContinuationToken",), own + prefix):
            for found in page.get("Contents") or []:
                name = str(found["Key"])[len(own) :]
                if name and "/" not in name:
                    yield Item(name, int(found["Size"]), found["LastModified"].timestamp())

    def properties(self, name: str) -> Properties:
        """Return what the store says of an object.

        :raises StoreError: ``store_missing``: there is none.
        """
        told = self._client.head(self._key(name), place=self.place(name))
        until = told.get("ObjectLockRetainUntilDate")
        return Properties(
            size=int(told["ContentLength"]),
            modified=told["LastModified"].timestamp(),
            version=str(told.get("ETag") or told.get("VersionId") or ""),
            sha256=metadata_of(told).get(SHA256),
            locked_until=until.timestamp() if until and until.timestamp() > time.time() else None,
            lock_mode=told.get("ObjectLockMode"),
            legal_hold=told.get("ObjectLockLegalHoldStatus") == "ON",
        )

    @contextlib.contextmanager
    def read(self, name: str, *, start: int = 0, version: str | None = None) -> Iterator[Iterator[bytes]]:
        """Give an object's bytes in pieces.

        :raises StoreError: it can't be read; while the pieces are taken: the bytes are not those that were stored.
        """
        retries = self._settings.retries
        reading = Reading(
            self._client, self._key(name), self.place(name), start=start, version=version, retries=retries
        )
        pieces = reading.pieces()
        try:
            yield pieces
        finally:
            reading.close()

    def read_small(self, name: str, limit: int) -> bytes:
        """Return up to the first ``limit`` bytes of an object.

        :raises StoreError: it can't be read.
        """
        key, place = self._key(name), self.place(name)
        answer = self._client.direct("GET", key, place=place, limit=limit)
        if answer is not None and (_is_checked(answer, place) or (answer.status == 200 and not answer.is_whole)):
            return answer.body
        with self.read(name) as pieces:
            found = bytearray()
            for piece in pieces:
                found += piece
                if len(found) > limit:
                    break
        return bytes(found[:limit])

    def writer(self) -> S3Writer:
        """Return a writer for one new object."""
        return S3Writer(self._client, self._key, self.place, self._attributes)

    def put_new(self, name: str, data: bytes) -> None:
        """Store a small object.

        :raises StoreError: ``store_exists``: there is something of that name.
        """
        put_new(self._client, self._key(name), data, self.place(name), self._attributes())

    def remove(self, name: str) -> None:
        """Remove an object for good, in a bucket that keeps versions too.

        :raises StoreError: ``store_locked``: it is locked or held.
        """
        if not self._keeps_versions:
            answer = self._client.direct("DELETE", self._key(name), place=self.place(name))
            if answer is not None and is_removal(answer):
                return
        try:
            told = self._client.head(self._key(name), place=self.place(name))
        except StoreError as error:
            if error.kind == FailureKind.STORE_MISSING:
                return
            raise
        version = told.get("VersionId")
        params = {"VersionId": version} if version and version != "null" else {}
        try:
            self._client.call("DeleteObject", place=self.place(name), Key=self._key(name), **params)
        except StoreError as error:
            raise self._locked_or(error, name) from None

    def clean(self) -> tuple[str, ...]:
        """End uploads that killed writers left behind in this store, and return their names.

        Where these credentials may not list them, or the store can't, nothing is done: a lifecycle rule may do it.
        """
        own, before, ended = self.location.path, time.time() - _STALE_AFTER, []
        markers = (("KeyMarker", "UploadIdMarker"), ("NextKeyMarker", "NextUploadIdMarker"))
        try:
            for page in self._pages("ListMultipartUploads", *markers, own):
                for found in page.get("Uploads") or []:
                    name = str(found["Key"])[len(own) :]
                    if name.endswith(_ENDINGS) and "/" not in name and found["Initiated"].timestamp() < before:
                        abort(self._client, str(found["Key"]), self.place(name), str(found["UploadId"]))
                        ended.append(name)
        except StoreError as error:
            can_not = error.facts.get("status") in (405, 501) or error.facts.get("code") == NO_UPLOAD
            if error.kind != FailureKind.STORE_DENIED and not can_not:
                raise
        return tuple(ended)

    def extend_lock(self, name: str) -> float | None:
        """Lock an object for as long as the settings say, from now on; never for less than before.

        :raises StoreError: it can't be locked.
        """
        lock = self._settings.object_lock
        if lock is None:
            return None
        self._require_locks()
        found = self.properties(name)
        until = date_of(max(time.time() + lock.days * DAY, found.locked_until or 0.0))
        mode = "COMPLIANCE" if found.locked_until and found.lock_mode == "COMPLIANCE" else lock.mode
        self._client.call(
            "PutObjectRetention",
            place=self.place(name),
            Key=self._key(name),
            Retention={"Mode": mode, "RetainUntilDate": until},
        )
        return until.timestamp()

    def hold(self, name: str, *, on: bool) -> None:
        """Set or take back a legal hold.

        :raises StoreError: the bucket has no object lock, or it is not permitted.
        """
        self._require_locks()
        self._client.call(
            "PutObjectLegalHold",
            place=self.place(name),
            Key=self._key(name),
            LegalHold={"Status": "ON" if on else "OFF"},
        )

    @functools.cached_property
    def _keeps_versions(self) -> bool:
        """Whether the bucket has, or may have, versions; also where nobody may say."""
        try:
            return bool(self._client.call("GetBucketVersioning", place=str(self.location)).get("Status"))
        except StoreError:
            return True

    def _locked_or(self, error: StoreError, name: str) -> StoreError:
        """Return the error for a removal that was refused: because of a lock, where there is one."""
        with contextlib.suppress(StoreError):
            found = self.properties(name)
            if found.locked_until or found.legal_hold:
                until = f"{date_of(found.locked_until or 0.0):%Y-%m-%dT%H:%M:%SZ}"
                why = "is under a legal hold" if found.legal_hold else f"is locked until {until}"
                return StoreError(
                    f"{self.place(name)} {why}",
                    kind=FailureKind.STORE_LOCKED,
                    hint="It can't be removed before.",
                    operation="DeleteObject",
                )
        return error


def _is_checked(answer: Answer, place: str) -> bool:
    """Whether an answer brings a whole object, with the bytes that were stored."""
    if not is_whole_object(answer):
        return False
    check = check_of(as_sdk(answer), place)
    check.update(answer.body)
    try:
        check.require_match()
    except StoreError:
        return False
    return True
