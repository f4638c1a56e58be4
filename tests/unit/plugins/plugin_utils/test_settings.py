# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of clusters and paths that can't be used."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._settings import problems_of


@pytest.mark.parametrize("name", ["production", "7", "two words", "a" * 200, "x..y", "café"])
def test_names_that_a_directory_may_have(name: str) -> None:
    assert problems_of("backup", name, {}) == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-rf", "two\nlines", "end\n", "a" * 201, "\x7f"])
def test_names_that_no_directory_may_have(name: str) -> None:
    (problem,) = problems_of("restore", name, {})
    assert problem.startswith("restore_cluster is also the name of a directory.")


def test_paths_are_absolute_or_empty() -> None:
    paths = {"a": "/x", "b": "~/x", "c": "", "d": "x", "e": ""}
    assert problems_of("backup", "x", paths, required=["a", "e"]) == [
        'd must be an absolute path, got "x".',
        'e must be an absolute path, got "".',
    ]


def test_urls_are_allowed_where_a_store_may_be() -> None:
    paths = {"a": "s3://bucket/prefix/", "b": "file:///srv/x", "c": "/x", "d": "gs://bucket"}
    assert problems_of("backup", "x", paths, required=["a"], stores=["a", "b", "c", "d"]) == []
    (problem,) = problems_of("backup", "x", {"a": "s3://bucket/prefix/"}, stores=["b"])
    assert problem == "a must be an absolute path, and can't be a URL."


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://bucket/x", "a: ftp:// is not a kind of store. Use s3://, gs://, az:// or a path."),
        ("s3:///x", "a: s3:// is not followed by a bucket. Write s3://bucket/prefix/."),
        ("s3://key:geheim@bucket/x", "a: credentials don't belong in a URL. Set the option store instead."),
    ],
)
def test_a_url_that_is_written_wrong_is_named_without_what_it_may_hold(url: str, said: str) -> None:
    assert problems_of("backup", "x", {"a": url}, stores=["a"]) == [said]
    (problem,) = problems_of("backup", "x", {"a": url})
    assert "geheim" not in problem


def test_a_slash_too_few_is_named_with_the_right_way() -> None:
    (problem,) = problems_of("backup", "x", {"a": "s3:/bucket"}, stores=["a"])
    assert (
        problem == 'a must be an absolute path, got "s3:/bucket". The URL of a store is written as s3://bucket/prefix/.'
    )
