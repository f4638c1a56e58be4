# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short way past the SDK: when there is one, and which answers are taken from it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.s3_direct import (
    Answer,
    Way,
    as_sdk,
    is_removal,
    is_whole_object,
    way_of,
)

SIGNED = "AWS4-HMAC-SHA256 Credential=AKID/20261126/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=ab"


def told(authorization: object = SIGNED) -> dict[str, Any]:
    """Return the headers of a request that the SDK signed."""
    return {"Authorization": authorization, "User-Agent": b"the SDK"}


@pytest.mark.parametrize("base", ["https://bucket.s3.example.com/", "http://127.0.0.1:9000/bucket/"])
def test_the_way_leads_to_every_object_of_the_bucket(base: str) -> None:
    way = way_of("a/b c.snap", base + "a/b%20c.snap", told(SIGNED.encode()))
    assert way == Way(base, "eu-central-1", "the SDK")
    assert way.url_of("a/ü+%~.snap") == base + "a/%C3%BC%2B%25~.snap"


@pytest.mark.parametrize(
    ("url", "authorization"),
    [
        ("https://s3.example.com/bucket/x?versionId=1", SIGNED),
        ("https://s3.example.com/bucket/?prefix=a/x", SIGNED),
        ("https://s3.example.com/bucket/other", SIGNED),
        ("https://s3.example.com/bucketx", SIGNED),
        ("https://s3.example.com/bucket/x", ""),
        ("https://s3.example.com/bucket/x", SIGNED.replace("/s3/", "/s3express/")),
        ("https://s3.example.com/bucket/x", SIGNED.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")),
    ],
)
def test_special_requests_are_the_sdks(url: str, authorization: str) -> None:
    assert way_of("x", url, told(authorization)) is None


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (Answer(200, {"content-length": "4"}, b"data", True), True),
        (Answer(200, {"content-length": "5"}, b"data", True), False),
        (Answer(200, {}, b"data", True), False),
        (Answer(200, {"content-length": "4"}, b"data", False), False),
        (Answer(206, {"content-length": "4"}, b"data", True), False),
        (Answer(403, {"content-length": "4"}, b"data", True), False),
    ],
)
def test_a_whole_object_is_as_long_as_the_answer_says(answer: Answer, whole: bool) -> None:
    assert is_whole_object(answer) is whole


def test_what_the_sdk_would_say_of_it() -> None:
    headers = {"x-amz-meta-sha256": "ab", "x-amz-checksum-sha256": "cd", "etag": "e"}
    assert as_sdk(Answer(200, headers, b"", True)) == {"Metadata": {"sha256": "ab"}, "ChecksumSHA256": "cd"}


@pytest.mark.parametrize(
    ("status", "headers", "gone"),
    [
        (204, {}, True),
        (200, {}, True),
        (204, {"x-amz-delete-marker": "True"}, False),
        (403, {}, False),
        (404, {}, False),
        (503, {}, False),
    ],
)
def test_a_marker_is_no_removal(status: int, headers: dict[str, str], gone: bool) -> None:
    assert is_removal(Answer(status, headers, b"", True)) is gone
