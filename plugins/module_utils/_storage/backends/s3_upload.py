# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One new object in S3: sent in parts as it comes, and visible only when it is published.

An object of one part is sent whole with its SHA-256 in its metadata. One of several parts can't have that: the metadata
is sent first and the digest is known last. It has the size of its parts there, and S3 keeps the SHA-256 of each part,
so that every byte is checked all the same (``checksums``); the manifest names the digest of the whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from ..._errors import FailureKind, StoreError
from ..protocol import SHA256
from .checksums import PART, composite, encoded
from .s3_client import S3Client, metadata_of

PART_SIZE, WRITER = "part-size", "writer"
"""Names of metadata: the size of the parts, and who wrote it: to know our own object after an answer was lost."""

NO_UPLOAD = "NoSuchUpload"
_MOST_PARTS = 10_000
_NO_CHECKSUMS = ("InvalidArgument", "InvalidRequest", "NotImplemented", "MalformedXML")


class S3Writer:
    """A writer as ``protocol`` describes it.

    :param key_of: returns an object's key for its name. :param place: returns its URL for messages.
    :param attributes: returns what is stored with each new object: locks, encryption, storage class.
    """

    def __init__(
        self,
        client: S3Client,
        key_of: Callable[[str], str],
        place: Callable[[str], str],
        attributes: Callable[[], dict[str, Any]],
    ) -> None:
        self._client = client
        self._key_of, self._place_of, self._attributes = key_of, place, attributes
        self._name = self._upload = ""
        self._buffer = bytearray()
        self._parts: list[dict[str, Any]] = []
        self._digests: list[bytes] = []
        self._checksums = True
        self._token = secrets.token_hex(16)

    def __enter__(self) -> S3Writer:
        return self

    def __exit__(self, *exc: object) -> None:
        # What could not be abandoned is seen by nobody, and clean() ends it a day later.
        with contextlib.suppress(StoreError):
            self._abandon()
        self._buffer = bytearray()

    def restart(self, name: str) -> None:
        """Drop what was written, and begin anew under this name.

        :raises StoreError: what was written can't be abandoned.
        """
        self._abandon()
        self._name, self._buffer, self._parts, self._digests = name, bytearray(), [], []

    def write(self, data: bytes) -> None:
        """Append bytes; send what has become a part.

        :raises StoreError: the part can't be sent.
        """
        view = memoryview(data)
        while view:
            # The last part is held back: only publishing tells whether there are several.
            if len(self._buffer) == PART:
                self._send_part()
            room = PART - len(self._buffer)
            self._buffer += view[:room]
            view = view[room:]

    def sync(self) -> None:
        """There is nothing to wait for: what was sent is in the store, and the last part is sent by ``publish``."""

    def publish(self, sha256: str) -> str:
        """Make the object visible and return its name.

        :raises StoreError: ``store_exists``: there is something of that name.
        """
        if self._upload:
            self._send_part()
            try:
                self._complete()
            except StoreError as error:
                if not self._was_completed(error):
                    raise
            self._upload = ""
            return self._name
        body = bytes(self._buffer)
        put_new(self._client, self._key, body, self._place, self._attributes(), sha256=sha256, token=self._token)
        return self._name

    @property
    def _key(self) -> str:
        return self._key_of(self._name)

    @property
    def _place(self) -> str:
        return self._place_of(self._name)

    def _begin(self) -> None:
        params = {**self._attributes(), "Metadata": {PART_SIZE: str(PART), WRITER: self._token}}
        try:
            answer = self._create({**params, "ChecksumAlgorithm": "SHA256"} if self._checksums else params)
        except StoreError as error:
            if not self._checksums or error.facts.get("code") not in _NO_CHECKSUMS:
                raise
            # An older store that refuses what it doesn't know. Its parts are guarded by MD5.
            self._checksums = False
            answer = self._create(params)
        self._upload = str(answer["UploadId"])

    def _create(self, params: dict[str, Any]) -> Any:
        return self._client.call("CreateMultipartUpload", place=self._place, Key=self._key, **params)

    def _send_part(self) -> None:
        if not self._upload:
            self._begin()
        number = len(self._parts) + 1
        if number > _MOST_PARTS:
            raise StoreError(
                f"{self._place}: the archive is larger than {_MOST_PARTS * PART >> 30} GiB, the most that goes to S3",
                hint="Save into a directory.",
            )
        # As it is: a copy would take the memory of one more part. What can't be sent is begun anew.
        body, self._buffer = self._buffer, bytearray()
        digest = hashlib.sha256(body).digest()
        guard: dict[str, Any] = {"ChecksumSHA256": encoded(digest)} if self._checksums else {"ContentMD5": _md5(body)}
        answer = self._client.call(
            "UploadPart",
            place=self._place,
            Key=self._key,
            UploadId=self._upload,
            PartNumber=number,
            Body=body,
            **guard,
        )
        told = answer.get("ChecksumSHA256")
        if self._checksums and told and told != encoded(digest):
            raise _not_what_was_sent(self._place)
        part = {"PartNumber": number, "ETag": answer["ETag"]}
        # One that took no notice of the checksum must not be told of it again.
        self._parts.append({**part, "ChecksumSHA256": told} if told else part)
        self._digests.append(digest)

    def _complete(self) -> None:
        answer = self._client.call(
            "CompleteMultipartUpload",
            place=self._place,
            create_only=True,
            Key=self._key,
            UploadId=self._upload,
            MultipartUpload={"Parts": self._parts},
        )
        told = answer.get("ChecksumSHA256")
        if told and "-" in told and told != composite(self._digests):
            raise _not_what_was_sent(self._place)

    def _was_completed(self, error: StoreError) -> bool:
        """Whether it is there although its answer was lost and the request was sent again."""
        kinds = (FailureKind.STORE_EXISTS, FailureKind.STORE_UNAVAILABLE)
        if error.kind not in kinds and error.facts.get("code") != NO_UPLOAD:
            return False
        return written_by(self._client, self._key, self._place, self._token)

    def _abandon(self) -> None:
        if self._upload:
            upload, self._upload = self._upload, ""
            abort(self._client, self._key, self._place, upload)


def abort(client: S3Client, key: str, place: str, upload: str) -> None:
    """End an upload, if it is still under way.

    :raises StoreError: it can't be ended.
    """
    try:
        client.call("AbortMultipartUpload", place=place, Key=key, UploadId=upload)
    except StoreError as error:
        if error.kind != FailureKind.STORE_MISSING and error.facts.get("code") != NO_UPLOAD:
            raise


def put_new(
    client: S3Client,
    key: str,
    body: bytes,
    place: str,
    attributes: dict[str, Any],
    *,
    sha256: str | None = None,
    token: str | None = None,
) -> None:
    """Store an object whole, in one step, where there is none.

    :param sha256: what its bytes must have. :param token: names the writer.
    :raises StoreError: ``store_exists``: there is something of that name.
    """
    digest, token = hashlib.sha256(body), token or secrets.token_hex(16)
    if sha256 not in (None, digest.hexdigest()):
        raise _not_what_was_sent(place)
    try:
        client.call(
            "PutObject",
            place=place,
            create_only=True,
            Key=key,
            Body=body,
            ChecksumSHA256=encoded(digest.digest()),
            Metadata={SHA256: digest.hexdigest(), WRITER: token},
            **attributes,
        )
    except StoreError as error:
        kinds = (FailureKind.STORE_EXISTS, FailureKind.STORE_UNAVAILABLE)
        if error.kind not in kinds or not written_by(client, key, place, token):
            raise


def written_by(client: S3Client, key: str, place: str, token: str) -> bool:
    """Whether an object is there that the writer of this name wrote; False where that can't be found out."""
    try:
        return metadata_of(client.head(key, place=place)).get(WRITER) == token
    except StoreError:
        return False


def _md5(body: bytes | bytearray) -> str:
    return encoded(hashlib.md5(body, usedforsecurity=False).digest())


def _not_what_was_sent(place: str) -> StoreError:
    return StoreError(
        f"{place}: the store says that it received other bytes than were sent",
        kind=FailureKind.STORE_UNAVAILABLE,
        hint="Try again. If it fails again, something between this host and the store changes what passes.",
        retryable=True,
    )
