# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Blob Storage, by azure-storage-blob.

* A new blob is blocks, each with its MD5, and a list of them that is committed with ``If-None-Match: *``: it appears
  with that request, and only where there is nothing of its name. Its metadata, with the SHA-256, is in that request.
* Blocks that were given up are dropped by Azure after a week; they can't be removed before, and nobody sees them.
* Locks are immutability policies of a version (``Unlocked``, ``Locked``), where the container was made for it; a hold
  is a legal hold. Whether a policy of the whole container protects a blob can't be seen from the blob.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from ..._errors import FailureKind, OptionError, StoreError
from ..location import Location
from ..protocol import Item, Properties, Remnant
from ..settings import ObjectLock, StoreSettings
from . import azure_errors as azure
from . import azure_values as values
from .attempts import attempt
from .azure_client import connect, require_account, require_library
from .azure_upload import BlobWriter, Keeping
from .blocks import PIECE, ranged
from .refusals import Operation

T = TypeVar("T")

_DAY = 86400
_NO_RANGE = 416
_TIERS = ("Hot", "Cool", "Cold", "Archive")


class AzureStore:
    """A prefix of a container in Azure Blob Storage."""

    is_private = False

    def __init__(self, location: Location, settings: StoreSettings) -> None:
        """:raises MissingLibraryError: the SDK is not installed here. :raises OptionError: the account is not known."""
        require_library(settings)
        require_account(settings)
        if settings.storage_class is not None and settings.storage_class not in _TIERS:
            raise OptionError(
                "store.storage_class: not an access tier of Azure Blob Storage", hint=f"Use one of {', '.join(_TIERS)}."
            )
        self.location = location
        self._settings = settings
        self._client: Any = None

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
            found, token = self._do(azure.LIST, partial(self._page, prefix, token))
            yield from values.items_of(found, self.location.path)
            if not token:
                return

    def _page(self, prefix: str, token: str | None) -> tuple[Sequence[Any], str | None]:
        walk = self._container().walk_blobs(name_starts_with=self.location.path + prefix, delimiter="/")
        pages = walk.by_page(continuation_token=token)
        return list(next(pages, ())), pages.continuation_token

    def properties(self, name: str) -> Properties:
        """Return what the container says of a blob."""
        return values.properties_of(self._described(name))

    def _described(self, name: str, version: str | None = None) -> Any:
        return self._do(azure.READ, lambda: self._blob(name).get_blob_properties(**_only(version)), name)

    @contextlib.contextmanager
    def read(self, name: str, *, start: int = 0, version: str | None = None) -> Iterator[Iterator[bytes]]:
        """Give a blob's bytes, by ranges, all under one ETag."""
        blob = self._described(name, version)

        def fetch(position: int, length: int) -> bytes:
            return self._do(azure.READ, lambda: self._download(name, position, length, str(blob.etag))[0], name)

        check = values.check_of(self.place(name), blob)
        yield ranged(fetch, start=start, size=int(blob.size), place=self.place(name), check=check)

    def read_small(self, name: str, limit: int) -> bytes:
        """Return the first bytes of a blob, by one request; a whole blob is compared with its SHA-256."""
        try:
            data, blob = self._do(azure.READ, lambda: self._download(name, 0, min(limit, PIECE), None), name)
        except StoreError as error:
            # Nothing can be asked for of an empty blob.
            if error.facts.get("status") != _NO_RANGE:
                raise
            return b""
        size = values.whole_size(blob)
        if limit > len(data) and size > len(data):
            with self.read(name, start=len(data), version=str(blob.etag)) as pieces:
                for piece in pieces:
                    data += piece
                    if len(data) >= limit:
                        break
        if len(data) == size:
            check = values.check_of(self.place(name), blob)
            check.update(data)
            check.require_match()
        return data[:limit]

    def _download(self, name: str, position: int, length: int, version: str | None) -> tuple[bytes, Any]:
        found = self._blob(name).download_blob(
            offset=position,
            length=length,
            max_concurrency=1,
            validate_content=values.can_validate(),
            **_only(version),
        )
        return bytes(found.readall()), found.properties

    def writer(self) -> BlobWriter:
        """Return a writer for one new blob."""
        return self._writer(self._retention())

    def put_new(self, name: str, data: bytes) -> None:
        """Store a small blob where there is none."""
        self._put_new(name, data, self._retention())

    def _writer(self, retention: values.Retention | None) -> BlobWriter:
        return BlobWriter(self._blob, self._do, self.place, Keeping(self._settings.storage_class, retention))

    def _put_new(self, name: str, data: bytes, retention: values.Retention | None) -> None:
        with self._writer(retention) as writer:
            writer.restart(name)
            writer.write(data)
            writer.publish(hashlib.sha256(data).hexdigest())

    def remove(self, name: str) -> None:
        """Remove a blob, and the version that an account with versions makes of what is removed."""
        try:
            version = self._described(name).version_id
            self._do(azure.DELETE, lambda: self._blob(name).delete_blob(delete_snapshots="include"), name)
            if version:
                self._remove_version(name, version)
        except StoreError as error:
            if error.kind is not FailureKind.STORE_MISSING or error.facts.get("code") in azure.NO_CONTAINER:
                raise

    def _remove_version(self, name: str, version: str) -> None:
        self._do(azure.DELETE_VERSION, lambda: self._blob(name).delete_blob(version_id=version), name)

    def clean(self) -> Sequence[str]:
        """Return nothing: blocks that were given up can't be removed, and Azure drops them after a week."""
        return ()

    def extend_lock(self, name: str) -> float | None:
        """Lengthen a blob's immutability policy; the mode of one that is there stays."""
        wanted = self._retention()
        if wanted is None:
            return None
        blob = self._described(name)
        known = values.properties_of(blob)
        if known.locked_until is not None and known.locked_until >= wanted[1]:
            return known.locked_until
        mode = values.MODES[known.lock_mode] if known.lock_mode else wanted[0]
        self._do(azure.RETAIN, lambda: self._retain(name, (mode, wanted[1])), name)
        return values.moment_of(wanted).timestamp()

    def _retain(self, name: str, retention: values.Retention) -> None:
        from azure.storage.blob import ImmutabilityPolicy

        policy = ImmutabilityPolicy(expiry_time=values.moment_of(retention), policy_mode=retention[0])
        self._blob(name).set_immutability_policy(policy)

    def hold(self, name: str, *, on: bool) -> None:
        """Set or take back a legal hold."""
        self._do(azure.HOLD, lambda: self._blob(name).set_legal_hold(on), name)

    # ---- What store_check asks

    def versioning(self) -> bool | None:
        """Return whether the account keeps versions, or what was removed (soft delete); None where nobody may say."""
        container = self._do(azure.CONTAINER, lambda: self._container().get_container_properties())
        if getattr(container, "immutable_storage_with_versioning_enabled", False):
            return True
        some = next(self.list(), None)
        if some is not None and self._described(some.name).version_id:
            return True
        try:
            service = self._do(azure.SERVICE, lambda: self._account().get_service_properties())
        except StoreError as error:
            if error.kind not in (FailureKind.STORE_DENIED, FailureKind.STORE_CREDENTIALS, FailureKind.STORE):
                raise
            return None
        return bool(service["delete_retention_policy"].enabled)

    def lock_default(self) -> ObjectLock | None:
        """Return nothing: how long a container's policy locks its blobs is not said by the blob service."""
        return None

    def overwrite(self, name: str, data: bytes) -> None:
        """Store a blob whatever is there."""
        self._do(azure.OVERWRITE, lambda: self._blob(name).upload_blob(data, overwrite=True, max_concurrency=1), name)

    def accepts_wrong_checksum(self, name: str, data: bytes) -> bool | None:
        """Send a block with the MD5 of other bytes, and make a blob of it if it is taken."""
        running = values.new_md5()
        if running is None:
            return None
        import base64

        running.update(data + b"wrong")
        wrong = base64.b64encode(running.digest()).decode()

        def change(request: Any) -> None:
            request.http_request.headers["Content-MD5"] = wrong

        def ask() -> None:
            self._blob(name).stage_block("wrong", data, length=len(data), raw_request_hook=change)

        try:
            self._do(azure.BLOCK, ask, name, retries=0)
        except StoreError as error:
            if error.facts.get("status") != 400:
                raise
            return False
        self._do(azure.COMMIT, lambda: self._commit_one(name, "wrong"), name)
        return True

    def _commit_one(self, name: str, number: str) -> None:
        from azure.storage.blob import BlobBlock

        self._blob(name).commit_block_list([BlobBlock(block_id=number)])

    def put_locked(self, name: str, data: bytes, lock: ObjectLock, until: float) -> None:
        """Store a new blob with an immutability policy until a time."""
        self._put_new(name, data, (values.MODES[lock.mode], until))

    def purge(self, name: str) -> Sequence[Remnant]:
        """Remove a blob with all versions that can be listed."""
        try:
            self.remove(name)
        except StoreError as error:
            if error.kind is FailureKind.STORE_UNAVAILABLE:
                raise
            return [self._remnant(name, error)]
        remnants = []
        for version in self._versions(name):
            try:
                self._remove_version(name, version)
            except StoreError as error:
                if error.kind is not FailureKind.STORE_MISSING:
                    remnants.append(Remnant(name, error.message))
        return remnants

    def _remnant(self, name: str, error: StoreError) -> Remnant:
        try:
            return Remnant(name, error.message, self.properties(name).locked_until)
        except StoreError:
            return Remnant(name, error.message)

    def _versions(self, name: str) -> Sequence[str]:
        path = self.location.child(name).path

        def ask() -> Sequence[str]:
            found = self._container().list_blobs(name_starts_with=path, include=["versions"])
            return [blob.version_id for blob in next(found.by_page(), ()) if blob.name == path and blob.version_id]

        try:
            return self._do(azure.LIST, ask, name)
        except StoreError as error:
            if error.kind is FailureKind.STORE_UNAVAILABLE:
                raise
            return []

    # ---- Requests

    def _retention(self) -> values.Retention | None:
        lock = self._settings.object_lock
        return (values.MODES[lock.mode], time.time() + lock.days * _DAY) if lock else None

    def _do(
        self, operation: Operation, action: Callable[[], T], name: str | None = None, *, retries: int | None = None
    ) -> T:
        place = str(self.location) if name is None else self.place(name)
        container, sas = self.location.bucket, self._settings.sas_token
        return attempt(
            action,
            lambda error: azure.fault_of(error, place, operation, container=container, sas=sas),
            self._settings.retries if retries is None else retries,
        )

    def _account(self) -> Any:
        if self._client is None:
            self._client = connect(self._settings)
        return self._client

    def _container(self) -> Any:
        return self._account().get_container_client(self.location.bucket)

    def _blob(self, name: str) -> Any:
        return self._account().get_blob_client(self.location.bucket, self.location.child(name).path)


def _only(version: str | None) -> dict[str, Any]:
    """Return the condition under which a request is for one version of a blob."""
    if version is None:
        return {}
    from azure.core import MatchConditions

    return {"etag": version, "match_condition": MatchConditions.IfNotModified}
