# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a restored server, and what its answers mean."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.assertions import (
    Assertion,
    assertion_from,
    judged,
    question_of,
    unanswered,
    unasked,
)


@pytest.mark.parametrize(
    ("told", "made"),
    [
        ({"kv_key": "a/b"}, Assertion("kv_key a/b", "kv_key", "a/b")),
        ({"kv_key": "a", "name": "the a"}, Assertion("the a", "kv_key", "a")),
        ({"kv_prefix": "", "min_count": 3}, Assertion("kv_prefix ", "kv_prefix", "", 3)),
        ({"kv_prefix": "a", "min_count": None, "service": None}, Assertion("kv_prefix a", "kv_prefix", "a", 1)),
        ({"config_entry": "a/b/c"}, Assertion("config_entry a/b/c", "config_entry", "a/b/c")),
    ],
)
def test_made(told: dict[str, Any], made: Assertion) -> None:
    assert assertion_from(told) == made


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"name": "a"},
        {"kv_key": "a", "policy": "b"},
        {"kv_key": ""},
        {"policy": "a", "min_count": 1},
        {"kv_prefix": "a", "min_count": 0},
        {"config_entry": "mesh"},
        {"config_entry": "/mesh"},
        {"config_entry": "mesh/"},
    ],
    ids=str,
)
def test_that_make_no_sense(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        assertion_from(told)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a b/ä?#%", "a%20b%2F%C3%A4%3F%23%25"),
        ("a/", "a%2F"),
        ("", ""),
        ("a//b", "a%2F"),
        ("/a", ""),
        ("../a", ""),
        ("a/./b", "a%2F"),
        ("a/..", "a%2F"),
        ("a/...", "a%2F..."),
        (" a/b", ""),
        ("a/b ", "a%2F"),
        ("a /b", "a%20%2Fb"),
        ("a ", ""),
    ],
)
def test_keys_are_asked_for_as_far_as_a_url_goes(key: str, path: str) -> None:
    question = question_of(Assertion("", "kv_prefix", key))
    assert question == (f"/v1/kv/{path}", {"keys": ""})
    exact = question_of(Assertion("", "kv_key", key))
    assert exact.path == question.path
    # Only what is asked for as a whole may be cut at the next slash.
    assert ("separator" in exact.params) == (quote(key, safe="") == path)


def test_other_questions() -> None:
    def path(kind: str, subject: str) -> str:
        return question_of(Assertion("", kind, subject)).path

    assert path("service", "a b") == "/v1/catalog/service/a%20b"
    assert path("policy", "x") == "/v1/acl/policies"
    assert path("token_accessor", "0-1") == "/v1/acl/token/0-1"
    assert path("config_entry", "http-route/a/b") == "/v1/config/http-route/a%2Fb"


@pytest.mark.parametrize(
    ("kind", "subject", "answer", "passed"),
    [
        ("kv_key", "a", ["a", "ab"], True),
        ("kv_key", "a", ["ab", "a/"], False),
        ("kv_key", "a", None, False),
        ("kv_prefix", "a/", ["a/1", "a/2"], True),
        # What was asked for may be more than what was meant.
        ("kv_prefix", "a//", ["a/1", "a/2"], False),
        ("kv_prefix", "a/", None, False),
        ("service", "a", [{}], True),
        ("service", "a", [], False),
        ("policy", "a", [{"Name": "ab"}, {"Name": "a"}], True),
        ("policy", "a", [{"Name": "ab"}], False),
        ("policy", "a", None, False),
        ("token_accessor", "a", {"AccessorID": "a"}, True),
        ("token_accessor", "a", None, False),
        ("config_entry", "a/b", {"Kind": "a"}, True),
        ("config_entry", "a/b", None, False),
    ],
)
def test_judged(kind: str, subject: str, answer: Any, passed: bool) -> None:
    outcome = judged(Assertion("name", kind, subject), answer)
    assert (outcome.name, outcome.passed) == ("name", passed)
    assert subject in outcome.detail


def test_counts() -> None:
    told = Assertion("", "kv_prefix", "a/", 3)
    assert judged(told, ["a/1", "a/2"]).detail == "2 keys below a/, at least 3 required"
    assert judged(told._replace(min_count=1), ["a/1"]) == ("", True, "1 key below a/")
    assert judged(Assertion("", "service", "web"), [{}]).detail == "the service web has 1 instance"
    assert judged(Assertion("", "service", "web"), []).detail == "the service web has no instances"


def test_no_secret_of_an_answer_is_shown() -> None:
    outcome = judged(Assertion("", "token_accessor", "a"), {"AccessorID": "a", "SecretID": "hidden"})
    assert "hidden" not in str(outcome)


def test_unanswered() -> None:
    told = Assertion("name", "token_accessor", "a")
    assert unanswered(told, "token_unknown", "ACL not found") == judged(told, None)
    assert unanswered(told, "not_found", "") == judged(told, None)
    assert unanswered(told, "server_error", "boom") == ("name", False, "could not be checked: boom")
    assert not unasked(told).passed
