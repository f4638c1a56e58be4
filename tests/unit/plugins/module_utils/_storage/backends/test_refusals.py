# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that fail, clocks that differ, and answers in words."""

from __future__ import annotations

import ssl
from email.utils import formatdate

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.refusals import (
    Operation,
    Refusal,
    chain,
    clock_remark,
    connection_fault,
    refused,
    seconds_to_wait,
)

READ = Operation("objects.get", "storage.objects.get")
SECRET = "https://store.example/x?sig=verysecret"
NOW = 1_790_000_000.0


def raised(*errors: BaseException) -> BaseException:
    """Return the last of these, as if each was caught and the next raised from it."""
    for cause, error in zip(errors, errors[1:]):
        error.__cause__ = cause
    return errors[-1]


class ReadTimeout(Exception):
    """Named as requests' own is."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (raised(ConnectionRefusedError(111, "Connection refused"), RuntimeError(SECRET)), "Connection refused"),
        (raised(ConnectionResetError(104, "Connection reset by peer"), OSError(SECRET)), "Connection reset by peer"),
        (ReadTimeout(SECRET), "timed out waiting for a response"),
        (RuntimeError(SECRET), "the connection was closed"),
        (RuntimeError(SECRET, ReadTimeout(SECRET)), "timed out"),
    ],
)
def test_no_answer(error: BaseException, expected: str) -> None:
    fault = connection_fault(error, "gs://b/x", READ)
    assert fault.kind is FailureKind.STORE_UNAVAILABLE
    assert fault.retryable
    assert fault.message.startswith("gs://b/x: objects.get failed: ")
    assert expected in fault.message
    assert "secret" not in fault.as_text()


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = "self-signed certificate"
    fault = connection_fault(raised(cause, RuntimeError(SECRET)), "gs://b/x", READ)
    assert fault.kind is FailureKind.STORE
    assert not fault.retryable
    assert "TLS: self-signed certificate" in fault.message
    assert "store.ca_path" in fault.hint


def test_a_connection_that_ends_within_tls_is_tried_again() -> None:
    fault = connection_fault(ssl.SSLEOFError(8, "EOF occurred"), "gs://b/x", READ)
    assert fault.kind is FailureKind.STORE_UNAVAILABLE


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = RuntimeError("1"), RuntimeError("2")
    first.__cause__, second.__cause__ = second, first
    assert list(chain(first)) == [first, second]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(0, ""), (200, ""), (-200, ""), (900, "15 minutes ahead of"), (-7200, "120 minutes behind")],
)
def test_clocks(ahead: int, expected: str) -> None:
    remark = clock_remark(formatdate(NOW - ahead, usegmt=True), NOW)
    assert (expected in remark) if expected else remark == ""


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_is_none(date: str | None) -> None:
    assert clock_remark(date, NOW) == ""


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, 0.0), ("", 0.0), ("7", 7.0), ("-7", 0.0), ("1e9", 0.0), ("٣", 0.0), ("1234567", 0.0)],
)
def test_how_long_a_store_asks_to_wait(header: str | None, expected: float) -> None:
    assert seconds_to_wait(header) == expected


def test_a_verb_that_is_denied_names_what_it_needs() -> None:
    error = refused(Refusal(403, "forbidden"), FailureKind.STORE_DENIED, "was denied", "gs://b/x", READ, now=NOW)
    assert error.message == "gs://b/x: objects.get was denied (HTTP 403, forbidden)"
    assert error.hint == "The credentials need storage.objects.get."
    assert error.facts == {"operation": "objects.get", "status": 403, "code": "forbidden"}
    assert not error.retryable


def test_credentials_that_are_refused_speak_of_the_clock_where_it_is_wrong() -> None:
    refusal = Refusal(403, "RequestTimeTooSkewed", "", formatdate(NOW - 1200, usegmt=True))
    kind = FailureKind.STORE_CREDENTIALS
    assert refused(refusal, kind, "was refused", "x", READ, now=NOW, hint="Check them.").hint == (
        "This host's clock is 20 minutes ahead of the store's: correct it first. Check them."
    )
    assert (
        refused(refusal._replace(date=None), kind, "no", "x", READ, now=NOW, hint="Check them.").hint == "Check them."
    )


def test_a_code_from_outside_is_shown_on_one_line() -> None:
    error = refused(Refusal(400, "a\nb\x1b" + "x" * 500), FailureKind.STORE, "failed", "x", READ, now=NOW)
    assert "\n" not in error.message
    assert "\x1b" not in error.message
    assert len(error.message) < 200
