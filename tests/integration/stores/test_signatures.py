# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures made here that ssh-keygen accepts, those made by it that are accepted here, and keys in an agent."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import collection, keys
from support.keys import Key
from support.waiting import wait_until

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SignatureError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.signatures import (
    Signer,
    sign,
    verify,
)

assert collection.ROOT
MANIFEST = b'{"schema": "disaster_recovery.consul/manifest", "version": 1}\n'
KINDS = ["ed25519", "rsa", "ecdsa"]


@pytest.fixture(params=KINDS)
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Key:
    """A key of each kind that OpenSSH makes without a piece of hardware."""
    return keys.ssh_key(tmp_path / "signing", request.param)


def test_ssh_keygen_accepts_what_is_signed_here(key: Key, tmp_path: Path) -> None:
    signature = tmp_path / "x.snap.manifest.json.sig"
    signature.write_bytes(sign(MANIFEST, str(key.path)))
    signers = keys.allowed_signers(tmp_path / "signers", ("backup@example", key))
    assert keys.is_signed_by(MANIFEST, signature, signers, "backup@example")
    assert not keys.is_signed_by(MANIFEST + b" ", signature, signers, "backup@example")


def test_what_ssh_keygen_signed_is_accepted_here(key: Key, tmp_path: Path) -> None:
    signers = keys.allowed_signers(tmp_path / "signers", ("backup@example", key))
    signature = keys.signed(MANIFEST, key)
    verdict = verify(MANIFEST, signature, str(signers), taken_at=time.time())
    assert isinstance(verdict, Signer)
    assert verdict.identity == "backup@example"
    told = subprocess.run(["ssh-keygen", "-l", "-f", str(key.path)], capture_output=True, text=True, check=True)
    assert verdict.key == told.stdout.split()[1]


def test_a_certificate_of_a_signing_authority(tmp_path: Path) -> None:
    # Hosts come and go; who may sign is then said once.
    authority, host = keys.ssh_key(tmp_path / "authority"), keys.ssh_key(tmp_path / "host")
    command = ["ssh-keygen", "-q", "-s", authority.path, "-I", "host-7", "-n", "host-7@example", f"{host.path}.pub"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    signers = tmp_path / "signers"
    signers.write_text(f"*@example cert-authority {authority.public}\n", encoding="utf-8")
    signature = sign(MANIFEST, f"{host.path}-cert.pub")
    verdict = verify(MANIFEST, signature, str(signers), taken_at=time.time())
    assert isinstance(verdict, Signer)
    assert verdict.identity == "host-7@example"


# ---- An agent


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not keys.has_ssh_agent():
        pytest.skip("this host has no ssh-agent")
    socket = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as process:
        wait_until(socket.exists, "the agent does not start")
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield
        process.terminate()


def test_a_key_with_a_passphrase_signs_from_the_agent(agent: None, tmp_path: Path) -> None:
    key = keys.ssh_key(tmp_path / "locked", passphrase="hunter2")
    signers = keys.allowed_signers(tmp_path / "signers", ("backup@example", key))
    for path in (key.path, f"{key.path}.pub"):
        with pytest.raises(SignatureError, match="protected by a passphrase"):
            sign(MANIFEST, str(path))
    answer = tmp_path / "askpass"
    answer.write_text("#!/bin/sh\necho hunter2\n", encoding="utf-8")
    answer.chmod(0o755)
    asked = {**os.environ, "SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", "-q", str(key.path)], env=asked, check=True, capture_output=True)
    key.path.unlink()
    signature = sign(MANIFEST, f"{key.path}.pub")
    assert isinstance(verify(MANIFEST, signature, str(signers), taken_at=time.time()), Signer)


def test_a_public_key_that_no_agent_holds(agent: None, tmp_path: Path) -> None:
    key = keys.ssh_key(tmp_path / "signing")
    key.path.unlink()
    with pytest.raises(SignatureError, match="can't sign with"):
        sign(MANIFEST, f"{key.path}.pub")


def test_an_agent_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A socket that nobody listens on any more.
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    key = keys.ssh_key(tmp_path / "signing")
    assert sign(MANIFEST, str(key.path)).startswith(b"-----BEGIN SSH SIGNATURE-----")
