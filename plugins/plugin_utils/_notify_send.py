# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends a notification, within its timeout whatever the receiver does.

Nothing that is returned from here has a URL, a header or the receiver's words in it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import open_url

from ._notify_request import Request

AGENT = "disaster_recovery.consul"
TRIES = 3
PAUSE = 1.0
# The receiver may do better a moment later.
PASSING = (429, 500, 502, 503, 504)


def send(request: Request, *, timeout: float, ca_path: str | None, validate_certs: bool) -> str:
    """Send a request; return why it was not accepted, or an empty string.

    A refused connection and an overloaded receiver are tried again while there is time. Redirects are not followed.

    :param timeout: seconds for all of it: name, connection, tries and pauses.
    :param ca_path: file of certificates that are trusted beside those of the system.
    """
    deadline = time.monotonic() + timeout
    answer: list[str] = []

    def work() -> None:
        answer.append(_tries(request, deadline, lambda left: _try(request, left, ca_path, validate_certs)))

    # In a thread, because neither the look-up of a name nor an answer that comes byte by byte ends at a timeout of
    # the socket. One that still hangs then ends with this process.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout)
    return answer[0] if answer else f"no complete answer within {timeout:g} s"


class _Passing(Exception):
    """A failure after which another try may help; its text is the reason."""


def _tries(request: Request, deadline: float, attempt: Callable[[float], str]) -> str:
    for number in range(1, TRIES + 1):
        try:
            return attempt(max(deadline - time.monotonic(), 0.1))
        except _Passing as failure:
            reason = str(failure)
        if number == TRIES or deadline - time.monotonic() <= PAUSE:
            break
        time.sleep(PAUSE)
    return reason


def _try(request: Request, left: float, ca_path: str | None, validate_certs: bool) -> str:
    try:
        response = open_url(
            request.url,
            method=request.method,
            data=request.body,
            headers=request.headers,
            timeout=left,
            ca_path=ca_path,
            validate_certs=validate_certs,
            http_agent=AGENT,
            follow_redirects="none",
            use_netrc=False,
        )
        # The receiver's words are not needed, and may be endless.
        response.close()
    except HTTPError as error:
        error.close()
        return _status(error.code)
    except Exception as error:  # whatever urllib raises, a backup goes on
        return _reason(error)
    return ""


def _status(code: int) -> str:
    if 300 <= code < 400:
        return f"the receiver answered {code}, a redirect, which is not followed: set the URL that it leads to"
    text = f"the receiver answered {code}"
    if code in PASSING:
        raise _Passing(text)
    return text


def _reason(error: BaseException) -> str:
    """Return the reason in words of our own: an error's text may repeat the URL."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, BaseException) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "the receiver's certificate is not trusted: set ca_path to a file with its CA"
    if isinstance(cause, ssl.SSLError):
        return "TLS could not be agreed on with the receiver"
    if isinstance(cause, socket.gaierror):
        raise _Passing("the receiver's name could not be resolved")
    if isinstance(cause, TimeoutError):
        return "the connection timed out"
    if isinstance(cause, ConnectionRefusedError):
        raise _Passing("the receiver refused the connection")
    if isinstance(cause, (ConnectionError, http.client.HTTPException)):
        return "the receiver closed the connection, or its answer is not HTTP"
    return f"the request failed ({type(cause).__name__})"
