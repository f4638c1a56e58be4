# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an identity file holds: told without opening anything with it."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.identities import (
    identity_in,
    keys_in,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.recipients import (
    OTHER,
    SSH,
    X25519,
)

KEY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
AGE_FILE = f"# created: 2026-11-26T07:41:47Z\n# public key: age1abc\n{KEY}\n".encode()


def openssh(cipher: bytes) -> bytes:
    """Return the beginning of a private key as OpenSSH writes it."""
    raw = b"openssh-key-v1\0" + len(cipher).to_bytes(4, "big") + cipher + bytes(120)
    text = base64.b64encode(raw).decode()
    lines = "\n".join(text[start : start + 70] for start in range(0, len(text), 70))
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}\n-----END OPENSSH PRIVATE KEY-----\n".encode()


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (AGE_FILE, {X25519}),
        (KEY.encode(), {X25519}),
        (AGE_FILE.replace(b"\n", b"\r\n"), {X25519}),
        (AGE_FILE + b"AGE-SECRET-KEY-PQ-1QQ\n", {X25519, OTHER}),
        (b"AGE-PLUGIN-YUBIKEY-1QQ\n", {OTHER}),
        (openssh(b"none"), {SSH}),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----\n", {SSH}),
        (b"-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n", {SSH}),
    ],
)
def test_keys_that_can_be_tried(data: bytes, kinds: set[str]) -> None:
    identity = identity_in(data)
    assert identity == (frozenset(kinds), False, "")


@pytest.mark.parametrize(
    "data",
    [
        openssh(b"aes256-ctr"),
        openssh(b"chacha20-poly1305@openssh.com"),
        b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n",
        b"age-encryption.org/v1\n-> scrypt abc 18\n",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END ENCRYPTED PRIVATE KEY-----\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE\n-----END RSA PRIVATE KEY-----\n",
    ],
)
def test_a_passphrase_is_noticed(data: bytes) -> None:
    identity = identity_in(data)
    assert identity.is_locked
    assert identity.fault == "is protected by a passphrase"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "holds no key"),
        (b"# public key: age1abc\n\n", "holds no key"),
        (b"age1abc\n", "holds a public key"),
        (b"ssh-ed25519 AAAA me\n", "holds a public key"),
        (b"hunter2\n", "holds something else"),
        (AGE_FILE + b"hunter2\n", "holds something else"),
        (bytes(range(256)), "holds something else"),
    ],
)
def test_what_opens_nothing(data: bytes, fault: str) -> None:
    identity = identity_in(data)
    assert identity.fault.startswith(fault)
    assert not identity.is_locked


def test_a_damaged_key_is_left_to_the_tool() -> None:
    damaged = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3B\n-----END OPENSSH PRIVATE KEY-----\n"
    assert identity_in(damaged) == (frozenset({SSH}), False, "")


def test_each_key_of_a_file() -> None:
    assert keys_in(AGE_FILE + b"\n# another\n" + KEY.lower().encode() + b"\n" + KEY.encode()) == [KEY, KEY]
