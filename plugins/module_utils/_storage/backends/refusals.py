# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong between this host and a store, in words that hold no secret (pure).

The SDKs' own texts are not shown: they quote URLs, and a URL may be signed.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from ..._errors import FailureKind, StoreError, printable

_SKEW = 240.0
"""Seconds between two clocks from which on it is worth a word."""
_WORDS = {
    "ConnectTimeout": "the connection timed out",
    "ConnectTimeoutError": "the connection timed out",
    "ReadTimeout": "timed out waiting for a response",
    "ReadTimeoutError": "timed out waiting for a response",
    "ProxyError": "the proxy did not pass the request on",
    "NameResolutionError": "the host name can't be resolved",
    "gaierror": "the host name can't be resolved",
}
_BUSY = (408, 429, 500, 502, 503, 504)


class Operation(NamedTuple):
    """What was being done: the service's name of it, and what the credentials need for it."""

    name: str
    permission: str


class Refusal(NamedTuple):
    """What a service answered: ``code`` is its own word for it; ``date`` and ``retry_after`` are headers."""

    status: int
    code: str
    message: str = ""
    date: str | None = None
    retry_after: str | None = None


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it came from, the outermost first, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), getattr(one, "inner_exception", None)]
        waiting += [other for other in [*inner, *one.args] if isinstance(other, BaseException)]


def connection_fault(error: BaseException, place: str, operation: Operation) -> StoreError:
    """Return the error for a request that got no answer."""
    causes = list(chain(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return _tls_fault(cause, place, operation)
    words = [_WORDS[type(cause).__name__] for cause in causes if type(cause).__name__ in _WORDS]
    words += [cause.strerror for cause in causes if isinstance(cause, OSError) and isinstance(cause.strerror, str)]
    why = words[-1] if words else "the connection was closed before the whole response was there"
    return StoreError(
        f"{place}: {operation.name} failed: {printable(why)}",
        kind=FailureKind.STORE_UNAVAILABLE,
        hint="Check that this host reaches the store, by its name and port and through its proxy, and try again.",
        retryable=True,
        operation=operation.name,
    )


def _tls_fault(cause: ssl.SSLError, place: str, operation: Operation) -> StoreError:
    told = getattr(cause, "verify_message", None) or (cause.reason or "no common protocol").replace("_", " ").lower()
    return StoreError(
        f"{place}: {operation.name} failed: TLS: {printable(told)}",
        hint="Set store.ca_path to the CA of the store's certificate, or use the name that the certificate has.",
        operation=operation.name,
    )


def is_busy(status: int) -> bool:
    """Whether a status says that the same request may succeed later."""
    return status in _BUSY


def seconds_to_wait(header: str | None) -> float:
    """Return what ``Retry-After`` asks for, in seconds; 0 where it is not a number of them."""
    return float(header) if header and header.isascii() and header.isdigit() and len(header) < 6 else 0.0


def clock_remark(date: str | None, now: float) -> str:
    """Return a sentence about this host's clock when it differs from the store's; else nothing.

    :param date: the header ``Date`` of a response.
    """
    try:
        ahead = now - parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return ""
    if abs(ahead) < _SKEW:
        return ""
    direction = "ahead of" if ahead > 0 else "behind"
    return f"This host's clock is {int(abs(ahead)) // 60} minutes {direction} the store's: correct it first. "


_HINTS = {
    FailureKind.STORE_EXISTS: "Nothing was overwritten. Use another name.",
    FailureKind.STORE_LOCKED: "It can be removed once its retention has ended and its hold was removed.",
    FailureKind.STORE_UNAVAILABLE: "Try again later.",
    FailureKind.STORE_MISSING: "Check the URL. snapshot_list shows what is there.",
}


def refused(
    refusal: Refusal, kind: FailureKind, reason: str, place: str, operation: Operation, *, now: float, hint: str = ""
) -> StoreError:
    """Return the error for an answer of a service.

    :param reason: what happened, in words, after ``place: operation``.
    :param now: seconds since the epoch, by this host's clock.
    :param hint: what to do, where the kind alone does not say it.
    """
    hint = hint or _HINTS.get(kind, "")
    if kind == FailureKind.STORE_CREDENTIALS:
        hint = clock_remark(refusal.date, now) + hint
    elif kind == FailureKind.STORE_DENIED:
        hint = f"{hint} " if hint else ""
        hint += f"The credentials need {operation.permission}."
    code = printable(refusal.code, 100)
    return StoreError(
        f"{place}: {operation.name} {reason} (HTTP {refusal.status}{', ' if code else ''}{code})",
        kind=kind,
        hint=hint,
        retryable=kind in (FailureKind.STORE_UNAVAILABLE, FailureKind.STORE_EXISTS),
        operation=operation.name,
        status=refusal.status,
        code=code,
    )
