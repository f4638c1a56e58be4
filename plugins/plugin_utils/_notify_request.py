# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where notifications go, and the requests that carry them (pure).

A URL and a header are secrets: whoever knows them can send in the sender's name. No error in here repeats one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

START, SUCCESS, FAILURE, SKIPPED = "start", "success", "failure", "skipped"
PING, WEBHOOK = "ping", "webhook"

TARGETS: dict[str, dict[str, Any]] = {
    "ping_url": {"type": "str", "no_log": True},
    "ping_start_url": {"type": "str", "no_log": True},
    "ping_fail_url": {"type": "str", "no_log": True},
    "webhook_url": {"type": "str", "no_log": True},
    "webhook_headers": {"type": "dict", "no_log": True},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 10.0},
}
"""The options of a target, as in an argument spec. The variables ``*_notify`` of the roles have the same."""

LONGEST_TIMEOUT = 300


class Request(NamedTuple):
    """A request to send. ``channel`` is the only part of it that may be shown."""

    channel: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


class TargetError(ValueError):
    """A target can't be used. The text names the option, and never its value."""


def requests_of(
    target: Mapping[str, Any], outcome: str, event: Mapping[str, Any], channels: tuple[str, ...] = (PING, WEBHOOK)
) -> list[Request]:
    """Return the requests that report an outcome: at most one ping and one webhook.

    A start is a ping only. What was skipped is no ping: a success would hide that nothing was done.

    :param target: as ``TARGETS`` describes it. :param event: what the webhook gets, as JSON.
    :raises TargetError: a URL or a header can't be used.
    """
    found = []
    if PING in channels and target.get("ping_url"):
        url = _ping_url(target, outcome)
        found += [Request(PING, "GET", url, {}, None)] if url else []
    if WEBHOOK in channels and target.get("webhook_url") and outcome != START:
        headers = {**_headers(target.get("webhook_headers") or {}), "Content-Type": "application/json"}
        url = _checked(str(target["webhook_url"]), "webhook_url")
        found.append(Request(WEBHOOK, "POST", url, headers, json.dumps(event).encode()))
    return found


def timeout_of(target: Mapping[str, Any]) -> float:
    """Return the seconds that one notification may take.

    :raises TargetError: it is not a number that makes sense.
    """
    timeout = float(target.get("timeout") or 0)
    if not math.isfinite(timeout) or not 0 < timeout <= LONGEST_TIMEOUT:
        raise TargetError(f"timeout must be more than 0 and at most {LONGEST_TIMEOUT} seconds")
    return timeout


def _ping_url(target: Mapping[str, Any], outcome: str) -> str:
    url = _checked(str(target["ping_url"]), "ping_url")
    if outcome in (SUCCESS, SKIPPED):
        return url if outcome == SUCCESS else ""
    option, ending = ("ping_start_url", "start") if outcome == START else ("ping_fail_url", "fail")
    if target.get(option) is not None:
        # An empty one: the service has no such signal.
        return _checked(str(target[option]), option) if target[option] else ""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{ending}"))


def _checked(url: str, option: str) -> str:
    """Return a URL that urllib takes as it is."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise TargetError(f"{option} must be an http:// or https:// URL without spaces and special characters")
    return url


def _headers(given: Mapping[Any, Any]) -> dict[str, str]:
    headers = {str(name): str(value) for name, value in given.items()}
    for name, value in headers.items():
        if not name.replace("-", "").replace("_", "").isalnum() or not (name + value).isascii():
            raise TargetError("webhook_headers must be names and values of HTTP headers, in ASCII")
        if not value.isprintable():
            raise TargetError("webhook_headers must not have line breaks or control characters")
    return headers
