# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tool gave up with, in words for users."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError, SealedError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import failures
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.programs import FilterFailed

KEY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("age: error: no identity matched any of the recipients", "no identity matched any of the recipients"),
        ("Error: No matching keys found", "No matching keys found"),
        (f'unknown recipient type: "{KEY}"', 'unknown recipient type: "AGE-…"'),
        (f"bad {KEY.lower()} here", "bad AGE-… here"),
        ("bad AGE-PLUGIN-YUBIKEY-1QQ here", "bad AGE-… here"),
        ("", ""),
    ],
)
def test_words_hold_no_key(said: str, shown: str) -> None:
    assert failures.words_of(FilterFailed(said)) == shown


@pytest.mark.parametrize(
    "said",
    [
        "age: error: no identity matched any of the recipients",
        "No matching keys found",
        "age: error: incorrect identity for recipient block",
    ],
)
def test_another_key(said: str) -> None:
    error = failures.opening_failed(FilterFailed(said), "age", "/keys/mine", fips=False)
    assert isinstance(error, SealedError)
    assert error.message == "the key in /keys/mine does not open this archive"
    assert "another copy" in error.hint


@pytest.mark.parametrize(
    "said",
    [
        "age: error: failed to decrypt and authenticate payload chunk, file may be corrupted or tampered with",
        "decryption error",
        "last chunk has been processed",
        "Header is invalid",
        "failed to fill whole buffer",
        "",
    ],
)
def test_damage(said: str) -> None:
    error = failures.opening_failed(FilterFailed(said), "age", "/keys/mine", fips=False)
    assert isinstance(error, ArchiveError)
    assert (error.fault, error.retryable) == (failures.FAULT, False)
    assert "damaged or incomplete" in error.message


def test_a_key_that_a_tool_can_not_read_is_no_damage() -> None:
    said = 'age: error: reading "/keys/mine": error at line 3: malformed secret key: invalid checksum'
    error = failures.opening_failed(FilterFailed(said), "age", "/keys/mine", fips=False)
    assert isinstance(error, SealedError)
    assert "can't use the key in /keys/mine" in error.message


def test_a_tool_that_was_killed_says_nothing_of_the_archive() -> None:
    error = failures.opening_failed(FilterFailed("was killed by signal 9", is_dead=True), "age", "/k", fips=False)
    assert isinstance(error, SealedError)
    assert error.message == "age can't open the archive: it was killed by signal 9"


def test_fips_is_named_where_it_may_be_the_cause() -> None:
    failure = FilterFailed("age: error: crypto/ecdh: use of X25519 is not allowed in FIPS 140-only mode")
    for fips in (True, False):
        assert ("FIPS mode" in failures.sealing_failed(failure, "age", fips=fips).hint) == fips
        assert ("FIPS mode" in failures.opening_failed(failure, "age", "/k", fips=fips).hint) == fips


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"age-encryption.org/v1\n-> X25519 ab", type(None)),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", type(None)),
        (b"age-encryption.org/v1\n-> scrypt ab", SealedError),
        (b"", ArchiveError),
        (b"age-encryption.org/v", ArchiveError),
        (b"age-encryption.org/v2\n-> X25519 ab", ArchiveError),
        (b"\x1f\x8b\x08" + bytes(40), ArchiveError),
    ],
)
def test_the_first_bytes(head: bytes, kind: type) -> None:
    fault = failures.fault_at_the_start(head)
    assert fault.__class__.__name__ == kind.__name__
