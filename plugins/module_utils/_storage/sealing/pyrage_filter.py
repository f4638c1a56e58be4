# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data that passes through pyrage, which reads from one file and writes to another: in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..._errors import printable
from ..._system.worker_thread import WorkerThread
from . import identities
from .programs import FilterFailed
from .recipients import SSH, kind_of

Work = Callable[["_Incoming", "_Outgoing"], None]


def is_installed() -> bool:
    """Whether pyrage can be used here. One that is broken can't."""
    try:
        from pyrage import decrypt_io, encrypt_io
    except ImportError:
        return False
    return callable(encrypt_io) and callable(decrypt_io)


def encryption(recipients: Sequence[str]) -> Work:
    """Return what encrypts to recipients of the kinds X25519 and SSH.

    :raises FilterFailed: it does not take one of them.
    """
    import pyrage

    with _Errors():
        keys = [
            (pyrage.ssh if kind_of(recipient) == SSH else pyrage.x25519).Recipient.from_str(recipient)
            for recipient in recipients
        ]
    return lambda incoming, outgoing: pyrage.encrypt_io(incoming, outgoing, keys)


def decryption(identity: bytes) -> Work:
    """Return what opens with the keys of an identity file, of the kinds X25519 and SSH.

    :raises FilterFailed: the keys are damaged.
    """
    import pyrage

    with _Errors():
        if SSH in identities.identity_in(identity).kinds:
            keys: list[Any] = [pyrage.ssh.Identity.from_buffer(identity)]
        else:
            keys = [pyrage.x25519.Identity.from_str(key) for key in identities.keys_in(identity)]
    return lambda incoming, outgoing: pyrage.decrypt_io(incoming, outgoing, keys)


class PyrageFilter:
    """What ``Program`` is for programs. As many bytes wait in it as the thread lets wait, on either side."""

    def __init__(self, work: Work) -> None:
        self._outgoing = _Outgoing()
        self._thread: WorkerThread[None] = WorkerThread(lambda pieces: self._run(work, pieces))

    def __enter__(self) -> PyrageFilter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def feed(self, data: bytes) -> list[bytes]:
        """Hand over bytes; return what was written by now.

        :raises FilterFailed: it gave up.
        """
        self._thread.put(data)
        return self._outgoing.taken()

    def finish(self) -> list[bytes]:
        """Say that no more comes, wait, and return the rest of what was written.

        :raises FilterFailed: it gave up.
        """
        self._thread.finish()
        return self._outgoing.taken()

    def close(self) -> None:
        """End it, whatever it is doing."""
        self._thread.__exit__(None, None, None)

    def _run(self, work: Work, pieces: Iterator[bytes]) -> None:
        with _Errors():
            work(_Incoming(pieces), self._outgoing)
        # pyrage 1.4 says nothing of an error that its writer raised at the very end.
        if self._outgoing.is_cut:
            raise FilterFailed("ran out of memory", is_dead=True)


class _Incoming:
    """A file that pyrage reads from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        end = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:end], self._rest[end:]
        return bytes(piece)


class _Outgoing:
    """A file that pyrage writes to; another thread takes what is in it."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self.is_cut = False

    def write(self, data: bytes) -> int:
        try:
            self._pieces.append(bytes(data))
        except MemoryError:
            self.is_cut = True
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: whatever is in it can be taken."""

    def taken(self) -> list[bytes]:
        return [self._pieces.popleft() for _number in range(len(self._pieces))]


class _Errors:
    """Turns what pyrage raises, a panic of its own included, into a FilterFailed."""

    def __enter__(self) -> _Errors:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        # A panic is no Exception, and so can't be told from KeyboardInterrupt but by its name.
        if error is None or isinstance(error, FilterFailed):
            return
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise FilterFailed(printable(error)) from None
