# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole task beside this process, where there is a second processor for it."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from .worker_process import fault_of, is_of_use, killed

Item = TypeVar("Item")

_ITEM, _END, _FAULT = "item", "end", "fault"


@contextlib.contextmanager
def in_child(work: Callable[[], Iterator[Item]]) -> Iterator[Iterator[Item]]:
    """Begin ``work`` in a child process, and give an iterator over what it yields; that waits for the child.

    Where no child is of use, the iterator does the work itself. Items have to be picklable and should be small, because
    each is held twice on its way. What ``work`` raises arrives as a RuntimeError that names the place and no value: a
    failure to be reported should be one of the items. Leaving the ``with`` block ends a child that is still at work.

    The iterator raises SnapshotError when the child was ended by somebody else.
    """
    if not is_of_use():
        yield work()
        return
    fork = multiprocessing.get_context("fork")
    incoming, outgoing = fork.Pipe(duplex=False)
    # A daemon, in Python's word: this process does not wait for it when it ends without having closed it.
    process = fork.Process(target=_send_all, args=(work, outgoing, incoming), daemon=True)
    process.start()
    outgoing.close()
    try:
        yield _received(incoming)
    finally:
        incoming.close()
        process.kill()
        process.join()
        process.close()


def _received(incoming: Connection) -> Iterator[Any]:
    while True:
        try:
            sort, value = incoming.recv()
        except (OSError, EOFError) as error:
            raise killed() from error
        if sort == _END:
            return
        if sort == _FAULT:
            raise RuntimeError(value)
        yield value


def _send_all(work: Callable[[], Iterator[Any]], outgoing: Connection, incoming: Connection) -> None:
    # A signal to the whole group is for the parent to answer, and one to this process ends it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    incoming.close()
    # An error of the pipe means that the parent is gone, and nobody waits.
    with contextlib.suppress(BrokenPipeError):
        try:
            for item in work():
                outgoing.send((_ITEM, item))
            outgoing.send((_END, None))
        except BrokenPipeError:
            raise
        except Exception as error:
            # What the error says is left out: it may hold a value.
            outgoing.send((_FAULT, fault_of(error)))
