# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests a notification is made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._notify_request import (
    TargetError,
    requests_of,
    timeout_of,
)

URL = "https://hc.example/ping/0b1f"


def urls(outcome: str, **target: Any) -> list[str]:
    return [one.url for one in requests_of(target, outcome, {})]


@pytest.mark.parametrize(
    ("url", "started", "failed"),
    [
        (URL, f"{URL}/start", f"{URL}/fail"),
        (f"{URL}/", f"{URL}/start", f"{URL}/fail"),
        (f"{URL}?create=1", f"{URL}/start?create=1", f"{URL}/fail?create=1"),
        ("http://u:p@h:8/", "http://u:p@h:8/start", "http://u:p@h:8/fail"),
        ("http://[::1]:8", "http://[::1]:8/start", "http://[::1]:8/fail"),
    ],
)
def test_pings_as_healthchecks_takes_them(url: str, started: str, failed: str) -> None:
    assert urls("start", ping_url=url) == [started]
    assert urls("failure", ping_url=url) == [failed]
    assert urls("success", ping_url=url) == [url]


def test_what_was_skipped_is_no_success() -> None:
    assert urls("skipped", ping_url=URL) == []
    assert urls("skipped", ping_url=URL, webhook_url=URL) == [URL]


def test_services_with_other_signals() -> None:
    target = {"ping_url": URL, "ping_start_url": "", "ping_fail_url": "https://hc.example/down?s=1"}
    assert urls("start", **target) == []
    assert urls("failure", **target) == ["https://hc.example/down?s=1"]
    assert urls("success", **target) == [URL]


def test_a_webhook_gets_the_event_at_the_end_only() -> None:
    target = {"webhook_url": URL, "webhook_headers": {"Authorization": "Bearer x", "X-Number": 7}}
    assert requests_of(target, "start", {"a": 1}) == []
    (one,) = requests_of(target, "failure", {"a": "ü"})
    assert (one.method, one.url, json.loads(one.body or b"")) == ("POST", URL, {"a": "ü"})
    assert one.headers == {"Authorization": "Bearer x", "X-Number": "7", "Content-Type": "application/json"}


def test_channels_that_are_not_asked_for_get_nothing() -> None:
    target = {"ping_url": URL, "webhook_url": URL}
    assert [one.channel for one in requests_of(target, "success", {}, ("ping",))] == ["ping"]
    assert [one.channel for one in requests_of(target, "success", {}, ("webhook",))] == ["webhook"]
    assert [one.channel for one in requests_of(target, "success", {})] == ["ping", "webhook"]
    assert requests_of({"ping_url": "", "webhook_url": None}, "success", {}) == []


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/secret", "ftp://h/secret", "secret", "http://", "http:///secret", "//h/secret"),
        *("http://h/a secret", "http://h/secret\r\nX: y", "http://h/secretü", "http://h:99999/secret"),
        *("http://h:0/secret", "http://[::1/secret", "http://h/secret\x7f"),
    ],
)
@pytest.mark.parametrize("option", ["ping_url", "ping_fail_url", "webhook_url"])
def test_a_url_that_is_not_one_is_refused_without_being_shown(url: str, option: str) -> None:
    with pytest.raises(TargetError, match=option) as refused:
        requests_of({"ping_url": URL, option: url}, "failure", {})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "headers", [{"X": "secret\n"}, {"X": "secret\r\nY: z"}, {"X secret": "y"}, {"": "x"}, {"X": "é"}]
)
def test_headers_that_would_be_something_else_are_refused_without_being_shown(headers: dict[str, str]) -> None:
    with pytest.raises(TargetError, match="webhook_headers") as refused:
        requests_of({"webhook_url": URL, "webhook_headers": headers}, "failure", {})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("timeout", [0, -1, 301, float("nan"), float("inf"), None])
def test_a_timeout_that_would_not_end(timeout: Any) -> None:
    with pytest.raises(TargetError, match="timeout"):
        timeout_of({"timeout": timeout})


def test_a_timeout() -> None:
    assert timeout_of({"timeout": 0.5}) == 0.5
