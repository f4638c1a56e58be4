# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests signed and checked with the ssh-keygen of this host, and with one that is old or hangs."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, SignatureError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import signatures
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.signatures import sign, verify

MANIFEST = b'{"schema": "disaster_recovery.consul/manifest"}\n'
NOW = time.time()
DAY = 86400.0
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="this host has no ssh-keygen")


def keygen(*arguments: str | Path) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "signing"
    keygen("-t", "ed25519", "-N", "", "-C", "", "-f", path)
    return path


def allowed(key: Path, *, who: str = "backup@example", options: str = "") -> str:
    """Write a file of signers with one key in it, and return its path."""
    file = key.parent / "allowed_signers"
    public = key.with_suffix(".pub").read_text(encoding="utf-8")
    file.write_text(f"# who may sign\n{who} {options} {public}", encoding="utf-8")
    return str(file)


@needs_ssh_keygen
def test_a_signature_names_its_signer(key: Path) -> None:
    verdict = verify(MANIFEST, sign(MANIFEST, str(key)), allowed(key), taken_at=NOW)
    assert isinstance(verdict, signatures.Signer)
    assert verdict.identity == "backup@example"
    assert verdict.key.startswith("SHA256:")


@needs_ssh_keygen
@pytest.mark.parametrize("case", ["changed", "missing", "malformed", "cut", "unknown"])
def test_a_signature_that_does_not_count(case: str, key: Path) -> None:
    manifest, signature, signers = MANIFEST, sign(MANIFEST, str(key)), allowed(key)
    expected = case
    if case == "changed":
        manifest += b" "
    elif case == "missing":
        verdict = verify(manifest, None, signers, taken_at=NOW)
        assert isinstance(verdict, signatures.Refusal)
        assert verdict.name == "missing"
        return
    elif case == "malformed":
        signature = b"nonsense"
    elif case == "cut":
        signature, expected = signature[:-70], "malformed"
    else:
        other = key.with_name("other")
        keygen("-t", "ed25519", "-N", "", "-f", other)
        signers = allowed(other)
    verdict = verify(manifest, signature, signers, taken_at=NOW)
    assert isinstance(verdict, signatures.Refusal)
    assert verdict.name == expected


@needs_ssh_keygen
@pytest.mark.parametrize(
    ("options", "taken_at", "expected"),
    [
        ('valid-before="20250601"', NOW, "expired"),
        ('valid-before="20250601"', 1_700_000_000.0, "Signer"),
        ('valid-after="20250601"', 1_700_000_000.0, "not_yet_valid"),
        ('valid-after="20250601"', NOW, "Signer"),
        ('valid-after="20250601",namespaces="consul-snapshot"', NOW, "Signer"),
        ('namespaces="git,file"', NOW, "namespace"),
        # A manifest may name any time at all.
        ("", -62_135_596_800.0, "Signer"),
        ("", 253_402_300_799.0, "Signer"),
        ('valid-after="20250601"', -62_135_596_800.0, "not_yet_valid"),
        # A manifest with a date ahead of now is of now.
        ('valid-after="20700101"', NOW + 100 * 365 * DAY, "not_yet_valid"),
    ],
    # Every worker has to see the same names of tests.
    ids=lambda value: "a time" if isinstance(value, float) else None,
)
def test_a_key_counts_at_the_time_of_the_archive(options: str, taken_at: float, expected: str, key: Path) -> None:
    verdict = verify(MANIFEST, sign(MANIFEST, str(key)), allowed(key, options=options), taken_at=taken_at)
    assert (verdict.name if isinstance(verdict, signatures.Refusal) else "Signer") == expected


@needs_ssh_keygen
def test_a_signature_for_something_else(key: Path) -> None:
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "file"]
    signature = subprocess.run(command, input=MANIFEST, capture_output=True, check=True).stdout
    verdict = verify(MANIFEST, signature, allowed(key), taken_at=NOW)
    assert isinstance(verdict, signatures.Refusal)
    assert verdict.name == "namespace"


@needs_ssh_keygen
@pytest.mark.parametrize("as_list", [False, True])
def test_a_revoked_key(as_list: bool, key: Path) -> None:
    revoked = key.with_suffix(".pub")
    if as_list:
        revoked = key.with_name("revoked.krl")
        keygen("-k", "-f", revoked, key.with_suffix(".pub"))
    other = key.with_name("other")
    keygen("-t", "ed25519", "-N", "", "-f", other)
    signature, signers = sign(MANIFEST, str(key)), allowed(key)
    verdict = verify(MANIFEST, signature, signers, taken_at=NOW, revoked_signers=str(revoked))
    assert isinstance(verdict, signatures.Refusal)
    assert verdict.name == "revoked"
    verdict = verify(MANIFEST, signature, signers, taken_at=NOW, revoked_signers=f"{other}.pub")
    assert isinstance(verdict, signatures.Signer)


@needs_ssh_keygen
@pytest.mark.parametrize("case", ["passphrase", "open", "not_a_key"])
def test_a_key_that_can_not_sign(case: str, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    # A prompt would wait for ever, or answer in the user's place.
    monkeypatch.setenv("SSH_ASKPASS", "/bin/true")
    monkeypatch.setenv("DISPLAY", ":0")
    words = {"passphrase": "protected by a passphrase", "open": "others can read", "not_a_key": "can't sign with"}
    if case == "passphrase":
        keygen("-p", "-N", "hunter2", "-f", key)
    elif case == "open":
        key.chmod(0o644)
    else:
        key = key.with_name("nonsense")
        key.write_text("nonsense\n", encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(SignatureError, match=words[case]):
        signatures.check_signing_key(str(key))
    assert time.monotonic() - began < 20


@needs_ssh_keygen
def test_files_that_are_not_there(key: Path, tmp_path: Path) -> None:
    none, signature = str(tmp_path / "none"), sign(MANIFEST, str(key))
    with pytest.raises(FileError, match="can't read signing_key"):
        sign(MANIFEST, none)
    with pytest.raises(FileError, match="can't read allowed_signers"):
        verify(MANIFEST, signature, none, taken_at=NOW)
    # A list of revoked keys that is missing must not mean that none is revoked.
    with pytest.raises(FileError, match="can't read revoked_signers"):
        verify(MANIFEST, signature, allowed(key), taken_at=NOW, revoked_signers=none)


# ---- Another ssh-keygen


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory / "ssh-keygen"


def use(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "file"
    path.write_text("content\n", encoding="utf-8")
    return str(path)


def test_a_host_without_ssh_keygen(program: Path, file: str) -> None:
    for act in (lambda: sign(MANIFEST, file), lambda: verify(MANIFEST, b"x", file, taken_at=NOW)):
        with pytest.raises(SignatureError, match="this host has no ssh-keygen") as caught:
            act()
        assert "openssh-client" in caught.value.hint


def test_an_ssh_keygen_that_is_too_old(program: Path, file: str) -> None:
    use(program, "echo 'ssh-keygen: unknown option -- Y' >&2; echo 'usage: ssh-keygen [-q]' >&2; exit 1")
    with pytest.raises(SignatureError, match="too old to sign") as caught:
        sign(MANIFEST, file)
    assert "8.1" in caught.value.hint
    with pytest.raises(SignatureError, match="too old to check") as caught:
        verify(MANIFEST, b"x", file, taken_at=NOW)
    assert "8.9" in caught.value.hint


def test_an_ssh_keygen_that_hangs(program: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "_PATIENCE", 0.3)
    use(program, "exec /bin/sleep 60")
    began = time.monotonic()
    with pytest.raises(SignatureError, match="ssh-keygen timed out"):
        sign(MANIFEST, file)
    assert time.monotonic() - began < 10


def test_an_ssh_keygen_that_crashes(program: Path, file: str) -> None:
    # It must not pass for one that knows nobody.
    use(program, "kill -11 $$")
    with pytest.raises(SignatureError, match="killed by signal 11"):
        verify(MANIFEST, b"x", file, taken_at=NOW)


def test_an_ssh_keygen_that_gives_no_signature(program: Path, file: str) -> None:
    use(program, "echo nonsense")
    with pytest.raises(SignatureError, match="can't sign with"):
        sign(MANIFEST, file)
