# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults for ``support.faults``, ready to be put into tables."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from support.archives import index_of
from support.faults import Exchange, Fault, head

Change = Callable[[bytes], bytes]

LENGTH, CHUNKED, BROKEN_CHUNKS, CLOSE = "Content-Length", "chunked", "chunks without an end", "until closed"
FRAMINGS = (LENGTH, CHUNKED, BROKEN_CHUNKS, CLOSE)

# Go's server reads so much of a body that nobody wants, then waits so long and closes (seen on 1.8.7 and 1.22.7).
READ_AFTER_ANSWER, CLOSE_AFTER_ANSWER = 2_900_000, 0.5


def says(status: int, text: str = "", **headers: str) -> Fault:
    """A plain answer; the body of the request is read first, as Consul does with small ones."""

    def fault(exchange: Exchange) -> None:
        exchange.read_body()
        body = text.encode()
        told = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}
        told.update((name.replace("_", "-"), value) for name, value in headers.items())
        exchange.send(head(status, told) + body)

    return fault


def says_json(value: Any, status: int = 200) -> Fault:
    """An answer in JSON."""
    return says(status, json.dumps(value), Content_Type="application/json")


def real(
    change: Change | None = None,
    *,
    framing: str = CHUNKED,
    headers: Mapping[str, str | None] | None = None,
    rename: Callable[[str], str] | None = None,
    keep: Callable[[bytes], None] | None = None,
) -> Fault:
    """The real server's answer with its body changed, sent in one of FRAMINGS.

    With LENGTH the length of the unchanged body is announced, so that a shorter one is seen to be cut.

    :param headers: set or, with None, left out. :param rename: how names of headers are written.
    :param keep: gets the body as it was sent.
    """

    def fault(exchange: Exchange) -> None:
        answer = exchange.ask_upstream()
        body = change(answer.body) if change else answer.body
        if keep:
            keep(body)
        # Go writes X-Consul-Lastcontact for what its documentation calls X-Consul-LastContact.
        changed = {name.lower() for name in headers or {}}
        told = {name: value for name, value in answer.headers.items() if name.lower() not in changed}
        told.update((name, value) for name, value in (headers or {}).items() if value is not None)
        sent = {rename(name) if rename else name: value for name, value in told.items()}
        send_framed(exchange, answer.status, sent, body, framing=framing, announced=max(len(answer.body), len(body)))

    return fault


def other(archive: bytes, *, body: bytes | None = None) -> Fault:
    """Another archive in place of the real one, announced with its own index; ``body`` is what is sent for it."""
    sent = archive if body is None else body
    return real(lambda _body: sent, headers={"X-Consul-Index": str(index_of(archive))})


def send_framed(
    exchange: Exchange, status: int, headers: dict[str, str], body: bytes, *, framing: str, announced: int
) -> None:
    """Send an answer in one of FRAMINGS."""
    if framing == LENGTH:
        exchange.send(head(status, {**headers, "Content-Length": str(announced)}) + body)
        exchange.keep = len(body) == announced
    elif framing == CLOSE:
        exchange.send(head(status, headers, version="1.0") + body)
        exchange.hang_up()
    else:
        exchange.send(head(status, {**headers, "Transfer-Encoding": "chunked"}) + in_chunks(body))
        if framing == CHUNKED:
            exchange.send(b"0\r\n\r\n")
        else:
            exchange.hang_up()


def in_chunks(body: bytes, size: int = 4096) -> bytes:
    """Return a body in HTTP's chunks, without the one that ends them."""
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def half_then(end: Fault) -> Fault:
    """Half of the real answer's body, and then ``end``."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.ask_upstream()
        exchange.send(head(answer.status, {**answer.headers, "Transfer-Encoding": "chunked"}))
        exchange.send(in_chunks(answer.body[: len(answer.body) // 2]))
        end(exchange)

    return fault


def reset(exchange: Exchange) -> None:
    """No answer: the connection is reset."""
    time.sleep(0.05)  # so that what was sent before arrives before the reset does
    exchange.reset()


def hangs_up(exchange: Exchange) -> None:
    """No answer: the whole request is read, and the connection closed in good order."""
    exchange.read_body()
    exchange.hang_up()


def stalls(exchange: Exchange) -> None:
    """No answer: nothing comes any more."""
    exchange.stall()


def sends(data: bytes) -> Fault:
    """Bytes that are no HTTP, or not quite."""

    def fault(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(data)
        exchange.hang_up()

    return fault


def answers_early(status: int, text: str) -> Fault:
    """The answer before the body was read, which Go follows by reading a part of it and closing the connection."""

    def fault(exchange: Exchange) -> None:
        exchange.send(head(status, {"Content-Length": str(len(text)), "Connection": "close"}) + text.encode())
        exchange.read_body(READ_AFTER_ANSWER)
        with contextlib.suppress(OSError):
            exchange.connection.shutdown(socket.SHUT_WR)
        time.sleep(CLOSE_AFTER_ANSWER)
        # Closed with bytes unread: the kernel resets the connection.
        exchange.connection.close()
        exchange.keep = False

    return fault


def then_dies(fault: Fault) -> Fault:
    """Do that, and accept no connection ever after."""

    def dying(exchange: Exchange) -> None:
        exchange.server.stop_listening()
        fault(exchange)
        exchange.hang_up()

    return dying


def first_really(fault: Fault) -> Fault:
    """Let the real server do what it is asked to, and answer something else."""

    def done(exchange: Exchange) -> None:
        exchange.ask_upstream()
        fault(exchange)

    return done


def breaks_off(size: int) -> Fault:
    """No answer: a part of the body is read, and the connection reset."""

    def fault(exchange: Exchange) -> None:
        exchange.read_body(size)
        exchange.reset()

    return fault


def after(action: Callable[[], object], fault: Fault) -> Fault:
    """Do something in the world outside, then answer."""

    def prepared(exchange: Exchange) -> None:
        action()
        fault(exchange)

    return prepared
