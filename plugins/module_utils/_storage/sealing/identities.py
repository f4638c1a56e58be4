# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an identity file holds, without opening anything with it (pure)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from .recipients import OTHER, SSH, X25519

_LOCKED = (b"-----BEGIN AGE ENCRYPTED FILE-----", b"age-encryption.org/", b"ENCRYPTED PRIVATE KEY", b"4,ENCRYPTED")
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9]+ )?PRIVATE KEY-----\s+(.*?)-----END", re.DOTALL)
_OPENSSH = b"openssh-key-v1\0"
_KINDS = {"AGE-SECRET-KEY-1": X25519, "AGE-SECRET-KEY-PQ-1": OTHER, "AGE-PLUGIN-": OTHER}


class Identity(NamedTuple):
    """What is in an identity file.

    ``kinds``: those of its keys. ``is_locked``: a passphrase protects it. ``fault``: why it is of no use, in words that
    follow the file's name; empty when it can be tried.
    """

    kinds: frozenset[str] = frozenset()
    is_locked: bool = False
    fault: str = ""


def identity_in(data: bytes) -> Identity:
    """Return what a file holds. Whether its keys are whole is for the tool that uses them."""
    if any(mark in data for mark in _LOCKED):
        return Identity(is_locked=True, fault="is protected by a passphrase")
    key = _PEM.search(data)
    if key is not None:
        locked = _is_locked_openssh(key.group(2))
        return Identity(frozenset({SSH}), locked, "is protected by a passphrase" if locked else "")
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        return Identity(fault="holds no key")
    if all(line.startswith(("age1", "ssh-", "ecdsa-")) for line in lines):
        return Identity(fault="holds a public key, and a secret key is needed to open an archive")
    kinds = [kind for line in lines for start, kind in _KINDS.items() if line.startswith(start)]
    if len(kinds) != len(lines):
        return Identity(fault="holds something else than keys of age")
    return Identity(frozenset(kinds))


def keys_in(data: bytes) -> list[str]:
    """Return the secret keys of an age identity file, one each."""
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    return [line for line in lines if line.startswith("AGE-SECRET-KEY-")]


def _is_locked_openssh(body: bytes) -> bool:
    # PROTOCOL.key of OpenSSH: after the magic comes the name of the cipher, with its length before it.
    try:
        raw = base64.b64decode(b"".join(body.split()))
    except binascii.Error:
        return False
    if not raw.startswith(_OPENSSH):
        return False
    return raw[len(_OPENSSH) :][:8] != b"\0\0\0\4none"
