# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh-keygen says of a signature, and what that means."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import signature_words
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.signature_words import (
    is_too_old,
    key_in,
    principals_in,
    refusal,
    refusal_from,
)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["Couldn't parse signature: missing header", "sig_verify: sshsig_armor: incomplete message"], "malformed"),
        (["Couldn't verify signature: namespace does not match", "Could not verify signature."], "namespace"),
        (['al:1: key is not permitted for use in signature namespace "consul-snapshot"'], "namespace"),
        (["Signature verification failed: incorrect signature", "Could not verify signature."], "changed"),
        (["al:1: key has expired: verify time 2026-01-01T12:00:00 > valid-before 2020-01-01T00:00:00"], "expired"),
        (["al:1: key is not yet valid: verify time 2026 < valid-after 2030", "No principal matched."], "not_yet_valid"),
        (["al:1: key has expired: verify time …", "No principal matched."], "expired"),
        (["No principal matched."], "unknown"),
        (["al:1: missing key", "No principal matched."], "unknown"),
        (["Signing key ED25519 SHA256:… revoked by file krl"], "revoked"),
        (["Could not verify signature."], "refused"),
        ([], "refused"),
    ],
)
def test_the_cause_has_a_name(words: list[str], name: str) -> None:
    found = refusal_from(words)
    assert found == refusal(name)
    assert found.reason


def test_every_cause_has_words() -> None:
    assert {name for _text, name in signature_words._CAUSES} <= set(signature_words._REASONS)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["unknown option -- Y", "usage: ssh-keygen [-q] [-b bits]"], True),
        (['Unsupported operation for -Y: "find-principals"'], True),
        (['Invalid option "verify-time=20260101120000"'], True),
        (["Could not verify signature."], False),
        ([], False),
    ],
)
def test_an_old_ssh_keygen_is_noticed(words: list[str], expected: bool) -> None:
    assert is_too_old(words) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"alice@x\nbob@x\n", ["alice@x", "bob@x"]),
        (b"alice@x,bob@x\n", ["alice@x", "bob@x"]),
        (b"*@corp\n", ["*@corp"]),
        (b"\n", []),
        (b"a\x1b[2Jb\nfine\n", ["fine"]),
    ],
)
def test_the_names_of_signers(output: bytes, expected: list[str]) -> None:
    assert principals_in(output) == expected


def test_the_key_of_a_signer() -> None:
    key = "SHA256:1BoiPJghhevbjvoJHsC/IT/W/+mOep4bqbT+SXnZBCc"
    assert key_in(f'Good "consul-snapshot" signature for a with ED25519 key {key}\n'.encode()) == key
    assert key_in(b"Good enough") == ""
