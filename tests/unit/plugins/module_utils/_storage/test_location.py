# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a store or an archive lies: which texts are places, and what leads out of them."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import (
    Location,
    is_url,
    parse_location,
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/var/backups", Location("file", "", "/var/backups")),
        ("backups/", Location("file", "", "backups/")),
        ("file:///var/back%20ups/", Location("file", "", "/var/back ups/")),
        ("s3://bucket", Location("s3", "bucket", "")),
        ("s3://bucket/", Location("s3", "bucket", "")),
        ("S3://bucket/consul/dc1", Location("s3", "bucket", "consul/dc1")),
        ("gs://a.b_c-d/x/", Location("gs", "a.b_c-d", "x/")),
        ("az://$root/x.snap.age", Location("az", "$root", "x.snap.age")),
        # A space and other letters are names like any other: nothing is decoded in a bucket.
        ("s3://bucket/a b/%20/\u00e9", Location("s3", "bucket", "a b/%20/\u00e9")),
    ],
)
def test_what_is_a_place(text: str, place: Location) -> None:
    assert parse_location(text, "dest") == place


@pytest.mark.parametrize(
    "text",
    [
        *("http://host/x", "s3://", "s3:///x", "s3://bucket?x=1", "s3://bucket/x#y", "s3://bucket/a?versionId=1"),
        *("s3://key:secret@bucket/x", "s3://bucket//x", "s3://bucket/../x", "s3://bucket/a/./b", "s3://bucket/a//"),
        *(
            "s3://bucket/a\nb",
            "s3://bucket/\x1b[2J",
            "s3://bucket/\ud800",
            "s3://-bucket/x",
            "file://host/x",
            "file://x",
        ),
        f"s3://bucket/{'x' * 600}",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(OptionError, match=r"^dest: ") as refused:
        parse_location(text, "dest")
    assert refused.value.hint
    assert refused.value.as_text().isprintable()
    assert "secret" not in refused.value.as_text()


def test_a_path_is_never_a_url() -> None:
    for path in ("/a://b", "a/b://c", "://x", "", "./s3://bucket"):
        assert not is_url(path)
    assert is_url("s3://")


@pytest.mark.parametrize(
    ("text", "store", "name"),
    [
        ("s3://b/x/y.snap", "s3://b/x/", "y.snap"),
        ("s3://b/y.snap", "s3://b/", "y.snap"),
        ("/x/y.snap", "/x/", "y.snap"),
        ("y.snap", "./", "y.snap"),
        ("/y.snap", "/", "y.snap"),
    ],
)
def test_an_archive_lies_in_a_store(text: str, store: str, name: str) -> None:
    place, found = parse_location(text, "src").split()
    assert (str(place), found) == (store, name)
    assert place.is_store
    assert place.as_store() == place


def test_a_store_ends_with_a_slash() -> None:
    for text, store in (("s3://b", "s3://b/"), ("s3://b/x", "s3://b/x/"), ("/x", "/x/"), (".", "./"), ("", "./")):
        assert str(parse_location(text, "dest").as_store()) == store


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0b"])
def test_no_name_leads_out_of_a_store(name: str) -> None:
    for text in ("s3://b/x/", "/x/"):
        with pytest.raises(ValueError, match="not the name"):
            parse_location(text, "dest").child(name)
