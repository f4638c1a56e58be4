# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One new blob on its way into Azure: blocks that nobody sees, and one request that makes a blob of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

from ..._errors import FailureKind, StoreError
from ..protocol import SHA256
from . import azure_errors as azure
from . import azure_values as values
from .blocks import UPLOAD, BlockBuffer, require_sha256


class Keeping(NamedTuple):
    """How new blobs are kept: their access tier, and their retention."""

    tier: str | None = None
    retention: values.Retention | None = None


class BlobWriter:
    """One new blob under way. ``blob``: gives the SDK's client for a name. ``do``: sends, and sends again.

    ``place``: the URL of a name.
    """

    def __init__(
        self, blob: Callable[[str], Any], do: Callable[..., Any], place: Callable[[str], str], keeping: Keeping
    ) -> None:
        self._blob = blob
        self._place = place
        self._do = do
        self._keeping = keeping
        self._name = ""
        self._clear()

    def _clear(self) -> None:
        self._buffer = BlockBuffer()
        # Writers of one name share its blocks: each has numbers of its own.
        self._upload = secrets.token_hex(12)
        self._blocks: list[str] = []
        self._md5 = values.new_md5()

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._clear()

    def restart(self, name: str) -> None:
        """Begin anew under this name. Azure drops blocks that were sent before after a week; nobody sees them."""
        self._clear()
        self._name = name

    def write(self, data: bytes) -> None:
        """Append bytes; whole blocks are sent at once."""
        if self._md5 is not None:
            self._md5.update(data)
        for block in self._buffer.add(data):
            self._stage(block)

    def sync(self) -> None:
        """Do nothing: what fills a block has arrived, and the rest goes with the requests that publish."""

    def publish(self, sha256: str) -> str:
        """Send what is left, and make a blob of all, where there is none."""
        rest = self._buffer.rest()
        if not self._blocks:
            require_sha256(rest, sha256, self._place(self._name))
        if rest:
            self._stage(rest)
        self._commit(sha256)
        return self._name

    def _stage(self, block: bytes) -> None:
        number = f"{self._upload}-{len(self._blocks):06d}"

        def ask() -> None:
            self._blob(self._name).stage_block(number, block, length=len(block), validate_content=values.can_validate())

        self._do(azure.BLOCK, ask, self._name)
        self._blocks.append(number)

    def _commit(self, sha256: str) -> None:
        """Send the request that publishes. One that is sent again may meet the blob that the lost answer was about.

        Small blobs go this way too: Put Blob is refused by Azurite where blocks of that name were given up.
        """
        from azure.storage.blob import BlobBlock

        blocks = [BlobBlock(block_id=number) for number in self._blocks]
        attempts = 0

        def ask() -> None:
            nonlocal attempts
            attempts += 1
            self._blob(self._name).commit_block_list(blocks, **self._options(sha256))

        try:
            self._do(azure.COMMIT_LOCKED if self._keeping.retention else azure.COMMIT, ask, self._name)
        except StoreError as error:
            unsure = error.kind is FailureKind.STORE_UNAVAILABLE or (
                error.kind is FailureKind.STORE_EXISTS and attempts > 1
            )
            if not unsure or not self._is_ours():
                raise

    def _is_ours(self) -> bool:
        try:
            found = self._do(azure.READ, lambda: self._blob(self._name).get_blob_properties(), self._name)
        except StoreError:
            # These credentials may not look. The save begins anew under another name.
            return False
        return (found.metadata or {}).get(UPLOAD) == self._upload

    def _options(self, sha256: str) -> dict[str, Any]:
        from azure.core import MatchConditions
        from azure.storage.blob import ContentSettings, ImmutabilityPolicy, StandardBlobTier

        digest = bytearray(self._md5.digest()) if self._md5 is not None else None
        options: dict[str, Any] = {
            "metadata": {SHA256: sha256, UPLOAD: self._upload},
            "content_settings": ContentSettings(content_type="application/octet-stream", content_md5=digest),
            "match_condition": MatchConditions.IfMissing,
        }
        if self._keeping.tier is not None:
            options["standard_blob_tier"] = StandardBlobTier(self._keeping.tier)
        if self._keeping.retention is not None:
            mode, _until = self._keeping.retention
            expiry = values.moment_of(self._keeping.retention)
            options["immutability_policy"] = ImmutabilityPolicy(expiry_time=expiry, policy_mode=mode)
        return options
