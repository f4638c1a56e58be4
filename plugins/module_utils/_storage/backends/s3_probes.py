# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``store_check`` finds out about a bucket, with objects of its own."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

from ..._errors import FailureKind, StoreError
from ..protocol import Remnant
from ..settings import ObjectLock
from .checksums import encoded
from .s3_bucket import NOT_THERE, S3Bucket
from .s3_upload import abort, put_new

_DAYS_OF_A_YEAR = 365


class S3Probes(S3Bucket):
    """See ``Probes`` in ``protocol``."""

    def versioning(self) -> bool | None:
        """Return whether the bucket keeps older versions; None where the store can't say."""
        try:
            told = self._client.call("GetBucketVersioning", place=str(self.location))
        except StoreError as error:
            if error.facts.get("status") in NOT_THERE and error.kind != FailureKind.STORE_MISSING:
                return None
            raise
        return bool(told.get("Status") == "Enabled")

    def lock_default(self) -> ObjectLock | None:
        """Return the bucket's own retention for new objects; None where it has none."""
        rule = (self.lock_configuration().get("Rule") or {}).get("DefaultRetention") or {}
        days = int(rule.get("Days") or 0) + int(rule.get("Years") or 0) * _DAYS_OF_A_YEAR
        return ObjectLock(str(rule["Mode"]), days) if rule.get("Mode") and days else None

    def overwrite(self, name: str, data: bytes) -> None:
        """Store an object without any condition.

        :raises StoreError: ``store_denied``: these credentials may not.
        """
        self._client.call(
            "PutObject",
            place=self.place(name),
            Key=self._key(name),
            Body=data,
            ChecksumSHA256=encoded(hashlib.sha256(data).digest()),
            **self._attributes(),
        )

    def accepts_wrong_checksum(self, name: str, data: bytes) -> bool:
        """Send a part with the checksum of other bytes; return whether it was stored.

        :raises StoreError: it was refused for another reason.
        """
        key, place = self._key(name), self.place(name)
        wrong = encoded(hashlib.sha256(data + b"another").digest())
        began = self._client.call("CreateMultipartUpload", place=place, Key=key, ChecksumAlgorithm="SHA256")
        upload = str(began["UploadId"])
        stored = False
        try:
            # Not again, where it is refused as damaged on its way.
            part = self._client.call(
                "UploadPart",
                place=place,
                retries=0,
                Key=key,
                UploadId=upload,
                PartNumber=1,
                Body=data,
                ChecksumSHA256=wrong,
            )
            parts: list[dict[str, Any]] = [{"PartNumber": 1, "ETag": part["ETag"]}]
            if part.get("ChecksumSHA256"):
                parts[0]["ChecksumSHA256"] = part["ChecksumSHA256"]
            self._client.call(
                "CompleteMultipartUpload",
                place=place,
                create_only=True,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
            )
            stored = True
        except StoreError as error:
            if error.facts.get("status") != 400:
                raise
        finally:
            if not stored:
                with contextlib.suppress(StoreError):
                    abort(self._client, key, place, upload)
        return stored

    def put_locked(self, name: str, data: bytes, lock: ObjectLock, until: float) -> None:
        """Store a new object, locked until a time.

        :raises StoreError: the bucket has no object lock, or it is not permitted.
        """
        put_new(self._client, self._key(name), data, self.place(name), self._attributes(lock, until))

    def purge(self, name: str) -> tuple[Remnant, ...]:
        """Remove an object with all its versions and delete markers, and return what is left."""
        key, left = self._key(name), []
        try:
            versions = self._versions(key)
        except StoreError as error:
            # It keeps no versions, or these credentials may not list them: what is visible goes, and that is said.
            versions = [""]
            if error.kind == FailureKind.STORE_DENIED:
                left.append(Remnant(name, "these credentials may not list versions, so older ones may be left"))
        for version in versions:
            which: dict[str, Any] = {"VersionId": version} if version else {}
            try:
                self._client.call("DeleteObject", place=self.place(name), Key=key, **which)
            except StoreError as error:
                if error.kind != FailureKind.STORE_MISSING:
                    left.append(self._remnant(error, name, which))
        return tuple(left)

    def _versions(self, key: str) -> list[str]:
        markers = (("KeyMarker", "VersionIdMarker"), ("NextKeyMarker", "NextVersionIdMarker"))
        pages = self._pages("ListObjectVersions", *markers, key)
        found = [one for page in pages for kind in ("Versions", "DeleteMarkers") for one in page.get(kind) or []]
        return [str(one.get("VersionId") or "") for one in found if one.get("Key") == key]

    def _remnant(self, error: StoreError, name: str, which: dict[str, Any]) -> Remnant:
        with contextlib.suppress(StoreError):
            told = self._client.call("HeadObject", place=self.place(name), Key=self._key(name), **which)
            until = told.get("ObjectLockRetainUntilDate")
            if told.get("ObjectLockLegalHoldStatus") == "ON":
                return Remnant(name, "it is under a legal hold")
            if until:
                return Remnant(name, "it is locked", until.timestamp())
        return Remnant(name, error.message)
