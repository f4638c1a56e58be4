# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksums of objects in parts."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.checksums import (
    ReadCheck,
    composite,
    encoded,
)

DATA = bytes(range(256)) * 4
PLACE = "s3://bucket/x.snap"


def digests(data: bytes, part: int) -> list[bytes]:
    return [hashlib.sha256(data[start : start + part]).digest() for start in range(0, len(data), part)]


def checked(data: bytes, piece: int, *, sha256: str | None = None, checksum: str | None = None, part: int = 0) -> None:
    check = ReadCheck(PLACE, sha256=sha256, checksum=checksum, part_size=part)
    for start in range(0, len(data), piece):
        check.update(data[start : start + piece])
    check.require_match()


def test_the_composite_checksum_is_the_one_that_s3_gave() -> None:
    # Seen on versitygw and SeaweedFS for two parts, 8 MiB of zeros and "end".
    parts = [hashlib.sha256(bytes(8 << 20)).digest(), hashlib.sha256(b"end").digest()]
    assert composite(parts) == "ju1i6YGywZfMBeJQtHo3wL32wqtL6bH8OGkKgnAn03U=-2"


@pytest.mark.parametrize("part", [1, 100, 256, 511, 512, 1023, 1024, 5000])
@pytest.mark.parametrize("piece", [1, 7, 256, 5000])
def test_parts_are_found_again_whatever_the_pieces(part: int, piece: int) -> None:
    checksum = composite(digests(DATA, part))
    checked(DATA, piece, checksum=checksum, part=part)
    for damaged in (DATA[:-1], DATA + b"x", b"x" + DATA[1:], DATA[:500] + b"\0" + DATA[501:]):
        with pytest.raises(StoreError, match="differ from those that were stored"):
            checked(damaged, piece, checksum=checksum, part=part)


def test_a_whole_object_has_two_witnesses() -> None:
    digest = hashlib.sha256(DATA)
    checked(DATA, 100, sha256=digest.hexdigest())
    checked(DATA, 100, sha256=digest.hexdigest(), checksum=encoded(digest.digest()))
    other = hashlib.sha256(b"other")
    for sha256, checksum in (
        (other.hexdigest(), None),
        (None, encoded(other.digest())),
        (digest.hexdigest(), encoded(other.digest())),
        (other.hexdigest(), encoded(digest.digest())),
        ("not a digest", None),
    ):
        with pytest.raises(StoreError, match="differ"):
            checked(DATA, 100, sha256=sha256, checksum=checksum)


@pytest.mark.parametrize(
    ("sha256", "checksum", "part"),
    [(None, None, 0), (None, None, 100), (None, "YWJj-2", 0), (None, "YWJj-x", 100), (None, "", 100)],
)
def test_without_a_witness_nothing_is_claimed(sha256: str | None, checksum: str | None, part: int) -> None:
    assert not ReadCheck(PLACE, sha256=sha256, checksum=checksum, part_size=part).checks
    checked(DATA, 100, sha256=sha256, checksum=checksum, part=part)


def test_an_empty_object() -> None:
    checked(b"", 1, sha256=hashlib.sha256(b"").hexdigest())
    checked(b"", 1, checksum=composite([hashlib.sha256(b"").digest()]), part=100)
    with pytest.raises(StoreError, match="differ"):
        checked(b"", 1, sha256=hashlib.sha256(b"x").hexdigest())
