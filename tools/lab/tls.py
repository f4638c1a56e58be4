# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates made on the spot by the ``consul tls`` commands."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its private key."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a directory of its own (0700)."""

    binary: Path
    directory: Path

    @classmethod
    def create(cls, binary: Path, directory: Path) -> Authority:
        """Make a CA in ``directory``; an existing one is kept."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = cls(binary, directory)
        if not authority.ca_file.exists():
            authority._tls("ca", "create", cwd=directory)
        return authority

    @property
    def ca_file(self) -> Path:
        """The CA's certificate."""
        return self.directory / "consul-agent-ca.pem"

    def server(self, directory: Path, datacenter: str) -> KeyPair:
        """A certificate of a server of ``datacenter``, also valid for localhost and 127.0.0.1."""
        return self._issue(directory, "-server", "-dc", datacenter)

    def client(self, directory: Path) -> KeyPair:
        """A certificate that a client shows where the servers ask for one."""
        return self._issue(directory, "-client")

    def _issue(self, directory: Path, *options: str) -> KeyPair:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = set(directory.glob("*.pem"))
        key = self.directory / "consul-agent-ca-key.pem"
        self._tls("cert", "create", *options, "-ca", str(self.ca_file), "-key", str(key), cwd=directory)
        made = sorted(set(directory.glob("*.pem")) - before)
        keys = [path for path in made if path.stem.endswith("-key")]
        certs = [path for path in made if not path.stem.endswith("-key")]
        if len(keys) != 1 or len(certs) != 1:
            raise LabError(f"consul tls cert create left unexpected files in {directory}")
        return KeyPair(cert=certs[0], key=keys[0])

    def _tls(self, *arguments: str, cwd: Path) -> None:
        done = subprocess.run(
            [str(self.binary), "tls", *arguments], cwd=cwd, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LabError(f"consul tls {' '.join(arguments[:2])} failed: {(done.stderr or done.stdout).strip()}")
