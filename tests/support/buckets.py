# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bucket of a real store with keys to seal with, and how roles are told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from lab import Cluster
from support.keys import Key
from support.stores import VersityGw

PREFIX = "consul/three/"


class Bucket(NamedTuple):
    """A fresh bucket of a running server, and how roles are told of it."""

    server: VersityGw
    name: str

    @property
    def url(self) -> str:
        """The store in it, as users write it."""
        return f"s3://{self.name}/{PREFIX}"

    @property
    def variables(self) -> dict[str, Any]:
        """Variables of the role backup."""
        return {"backup_dir": self.url, "backup_store": self.server.options(timeout=10, retries=1)}

    def objects(self) -> dict[str, bytes]:
        """What is in the store, by name, as the SDK's own client sees it."""
        found = self.server.objects(self.name)
        assert all(name.startswith(PREFIX) for name in found), sorted(found)
        return {name.removeprefix(PREFIX): body for name, body in found.items()}

    def archive(self) -> tuple[str, bytes]:
        """The one archive in it."""
        ((name, body),) = (pair for pair in self.objects().items() if pair[0].endswith((".snap", ".age")))
        return name, body


class Sealing(NamedTuple):
    """Keys for a test: two recipients, the file with the secret key of the first, and a signer."""

    recipients: list[str]
    identity: Key
    signing: Path
    signers: Path

    @property
    def variables(self) -> dict[str, Any]:
        """Variables of the role backup."""
        return {"backup_encrypt_to": self.recipients, "backup_signing_key": str(self.signing)}


def inspected(cluster: Cluster, body: bytes | None, directory: Path) -> None:
    """Let the consul command read an archive."""
    assert body is not None
    path = directory / "to-inspect.snap"
    path.write_bytes(body)
    cluster.cli("snapshot", "inspect", path)
