# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that real programs make, for sealing and signing: age-keygen and ssh-keygen, and age itself as the judge."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lab import binaries


class Key(NamedTuple):
    """A secret key in a file, and the public one as others write it."""

    path: Path
    public: str


def programs() -> Path:
    """Return the directory that age and age-keygen are in."""
    return binaries.program("age").parent


def with_programs(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment with age first on its PATH."""
    environment = dict(os.environ if variables is None else variables)
    return {**environment, "PATH": f"{programs()}:{environment.get('PATH', os.defpath)}"}


def age_key(path: Path, *options: str) -> Key:
    """Make a key of age. ``-pq`` makes a post-quantum one."""
    keygen = programs() / "age-keygen"
    _output([keygen, *options, "-o", path])
    return Key(path, _output([keygen, "-y", path]).decode().strip())


def ssh_key(path: Path, kind: str = "ed25519", *, passphrase: str = "") -> Key:
    """Make a key of OpenSSH."""
    _output(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", path])
    return Key(path, Path(f"{path}.pub").read_text(encoding="utf-8").strip())


def age_encrypt(data: bytes, *publics: str, armor: bool = False) -> bytes:
    """Encrypt with age itself."""
    recipients = [argument for public in publics for argument in ("-r", public)]
    return _output([programs() / "age", "-e", *(["-a"] if armor else []), *recipients], data)


def age_decrypt(data: bytes, key: Key) -> bytes | None:
    """Decrypt with age itself; None where it refuses."""
    command = [str(programs() / "age"), "-d", "-i", str(key.path)]
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else None


def signed(data: bytes, key: Key, namespace: str = "consul-snapshot") -> bytes:
    """Sign with ssh-keygen itself."""
    return _output(["ssh-keygen", "-Y", "sign", "-q", "-f", key.path, "-n", namespace], data)


def allowed_signers(path: Path, *lines: tuple[str, Key]) -> Path:
    """Write a file of signers: a name, with options behind it if need be, and a key."""
    path.write_text("".join(f"{who} {key.public}\n" for who, key in lines), encoding="utf-8")
    return path


def is_signed_by(data: bytes, signature: Path, signers: Path, who: str) -> bool:
    """Whether ssh-keygen itself accepts a signature."""
    command = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", who, "-n", "consul-snapshot", "-s", signature]
    return subprocess.run(list(map(str, command)), input=data, capture_output=True, check=False).returncode == 0


def has_ssh_agent() -> bool:
    """Whether an agent can be started here."""
    return shutil.which("ssh-agent") is not None and shutil.which("ssh-add") is not None


def _output(command: list[str | Path], data: bytes = b"") -> bytes:
    done = subprocess.run(list(map(str, command)), input=data, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout
