# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where archives lie, as a role's variable names it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.archive_place import archive_place


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/var/backups", "/var/backups"),
        ("/var/backups//", "/var/backups"),
        ("/", "/"),
        ("", ""),
        ("~/x/", "~/x"),
        ("file:///srv/a%20b/", "/srv/a b"),
        ("/srv/newest", "/srv/newest"),
        ("relative:/x", "relative:/x"),
    ],
)
def test_paths_are_local(text: str, path: str) -> None:
    for store in (True, False):
        assert archive_place(text, store=store) == {"local": True, "path": path, "pick": "", "problem": ""}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("s3://bucket", "s3://bucket/"),
        ("s3://bucket/prefix", "s3://bucket/prefix/"),
        ("gs://bucket/a/b/", "gs://bucket/a/b/"),
        ("az://box/newest", "az://box/newest/"),
        ("S3://bucket/x/", "s3://bucket/x/"),
    ],
)
def test_a_store_ends_with_a_slash(text: str, path: str) -> None:
    assert archive_place(text, store=True) == {"local": False, "path": path, "pick": "", "problem": ""}


@pytest.mark.parametrize(
    ("text", "path", "pick"),
    [
        ("s3://bucket/x/newest", "s3://bucket/x/", "newest"),
        ("gs://bucket/newest", "gs://bucket/", "newest"),
        ("s3://bucket/x/2026-11-23T02:15:00Z", "s3://bucket/x/", "2026-11-23T02:15:00Z"),
        ("s3://bucket/x/2026-11-23", "s3://bucket/x/", "2026-11-23"),
        ("s3://bucket/x/2026-11-23T02:15:00Z.snap", "s3://bucket/x/2026-11-23T02:15:00Z.snap", ""),
        ("s3://bucket/x/2026-11-23.snap.age", "s3://bucket/x/2026-11-23.snap.age", ""),
        ("s3://bucket/x/newest.snap", "s3://bucket/x/newest.snap", ""),
        ("s3://bucket/x/newest/", "s3://bucket/x/newest/", ""),
        ("s3://bucket/x/dc1-20261123T021500Z-7.snap", "s3://bucket/x/dc1-20261123T021500Z-7.snap", ""),
    ],
)
def test_the_last_part_of_a_url_may_ask_for_an_archive(text: str, path: str, pick: str) -> None:
    assert archive_place(text) == {"local": False, "path": path, "pick": pick, "problem": ""}


@pytest.mark.parametrize("text", ["s3://", "ftp://x/y", "s3://key:secret@bucket/x", "s3://b/../x"])
def test_what_is_no_valid_url_says_why(text: str) -> None:
    place = archive_place(text, option="restore_src")
    assert (place["local"], place["path"], place["pick"]) == (False, text, "")
    assert place["problem"].startswith("restore_src: ")
    assert "secret" not in place["problem"]


def test_only_text_is_a_place() -> None:
    with pytest.raises(AnsibleFilterError, match="got list"):
        archive_place(["s3://bucket"])
