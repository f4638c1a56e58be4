# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that data passes through. They get no terminal, little environment, and no time to hang."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..._errors import printable
from ..._system.signals import uninterrupted

PATIENCE = 60.0
"""Seconds that a program may be busy without reading or writing a byte."""

_SET_PIPE_SIZE = 1031
"""F_SETPIPE_SZ, for which Python has a name since 3.10."""
_PIPE_SIZE, _READ_SIZE, _WORDS_LIMIT = 1 << 20, 1 << 17, 4096
_PASSED_ON = ("PATH", "HOME")


class FilterFailed(Exception):
    """What the data passed through gave up. ``words``: what it said, in one printable line, which may be empty.

    ``is_dead``: somebody ended it, it hung, or it could not be started: that says nothing about the data.
    """

    def __init__(self, words: str, *, is_dead: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.is_dead = is_dead


class Finished(NamedTuple):
    """What a program left behind: its exit code, its output, and what it said, in one printable line each."""

    code: int
    output: bytes
    words: list[str]


class Program:
    """A program that reads what is fed to it and writes something in turn, in constant memory, without a thread.

    Used as a context manager it never leaves a process.
    """

    def __init__(self, command: Sequence[str], *, keep_open: Sequence[int] = ()) -> None:
        """Start it.

        :param keep_open: descriptors that it inherits, under the same numbers.
        :raises FilterFailed: no process can be started.
        """
        self._process = _started(command, keep_open=keep_open)
        self._words, self._poll = b"", select.poll()
        self._input, self._output, self._errors = (
            stream.fileno() if stream else -1
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        for descriptor in (self._input, self._output):
            # The kernel may refuse a wider pipe; it is merely slower then.
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _PIPE_SIZE)
        for descriptor in (self._input, self._output, self._errors):
            os.set_blocking(descriptor, False)
        self._open = {self._output, self._errors}
        self._poll.register(self._input, select.POLLOUT)
        for descriptor in self._open:
            self._poll.register(descriptor, select.POLLIN)
        _RUNNING.add(self)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def feed(self, data: bytes) -> list[bytes]:
        """Hand over bytes; return what it has written by now.

        :raises FilterFailed: it gave up.
        """
        written: list[bytes] = []
        view = memoryview(data)
        while view:
            view = view[self._exchange(view, written) :]
        return written

    def finish(self) -> list[bytes]:
        """Say that no more comes, wait until it has ended, and return the rest of what it wrote.

        :raises FilterFailed: it gave up.
        """
        written: list[bytes] = []
        self._close_input()
        while self._open:
            self._exchange(memoryview(b""), written)
        self._require_success()
        return written

    def close(self) -> None:
        """End it, whatever it is doing."""
        with uninterrupted():
            _RUNNING.discard(self)
            _end(self._process)

    def let_go(self) -> None:
        """Close this process's ends of the pipes, in a child that inherited them and has no use for them."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _exchange(self, view: memoryview, written: list[bytes]) -> int:
        """Wait until something can be done, do it, and return how many bytes were handed over."""
        events = self._poll.poll(PATIENCE * 1000)
        if not events:
            raise FilterFailed(f"timed out after {PATIENCE:.0f} s without progress", is_dead=True)
        taken = 0
        for descriptor, _event in events:
            if descriptor == self._input:
                taken = self._hand_over(view)
                continue
            piece = os.read(descriptor, _READ_SIZE)
            if not piece:
                self._poll.unregister(descriptor)
                self._open.discard(descriptor)
            elif descriptor == self._output:
                written.append(piece)
            elif len(self._words) < _WORDS_LIMIT:
                self._words += piece
        return taken

    def _hand_over(self, view: memoryview) -> int:
        try:
            return os.write(self._input, view)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            self._close_input()
            while self._open:
                self._exchange(memoryview(b""), [])
            self._require_success()
            raise FilterFailed("ended before it had read everything") from None

    def _close_input(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._poll.unregister(self._input)
            self._process.stdin.close()

    def _require_success(self) -> None:
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise FilterFailed(f"timed out after {PATIENCE:.0f} s without progress", is_dead=True) from None
        if code < 0:
            raise FilterFailed(f"was killed by signal {-code}", is_dead=True)
        if code:
            words = words_in(self._words)
            errors = [line for line in words if "error" in line.lower()]
            raise FilterFailed((errors or words or [f"it ended with code {code}"])[0])


def run_program(
    command: Sequence[str],
    data: bytes,
    *,
    patience: float,
    variables: Mapping[str, str] | None = None,
    also_pass_on: Sequence[str] = (),
) -> Finished:
    """Run a program that takes little and gives little, and is done soon.

    :param patience: seconds until it is ended. :param variables: of its environment; ``also_pass_on``: names of those
        of ours that it gets, too.
    :raises FilterFailed: it can't be started, or wasn't done in time.
    """
    process = _started(command, variables=variables, also_pass_on=also_pass_on)
    try:
        output, words = process.communicate(data, timeout=patience)
    except subprocess.TimeoutExpired:
        raise FilterFailed(f"timed out after {patience:.0f} s", is_dead=True) from None
    finally:
        with uninterrupted():
            _end(process)
    return Finished(process.returncode, output, words_in(words[:_WORDS_LIMIT]))


def words_in(text: bytes) -> list[str]:
    """Return what a program said, line by line, as it may be shown (pure)."""
    lines = text.decode("utf-8", "replace").splitlines()
    return [printable(line.strip()) for line in lines if line.strip()]


def _started(
    command: Sequence[str],
    *,
    keep_open: Sequence[int] = (),
    variables: Mapping[str, str] | None = None,
    also_pass_on: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    passed_on = {name: os.environ[name] for name in (*_PASSED_ON, *also_pass_on) if name in os.environ}
    try:
        with uninterrupted():
            # AnsibleModule.run_command keeps all of a program's output. A session of its own has no terminal.
            return subprocess.Popen(  # pylint: disable=ansible-bad-function
                command,
                bufsize=0,
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=keep_open,
                start_new_session=True,
                env={**passed_on, "LC_ALL": "C", **(variables or {})},
            )
    except OSError as error:
        raise FilterFailed(f"can't be started: {os.strerror(error.errno or 0)}", is_dead=True) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    # Whatever it started is in its session as well.
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


_RUNNING: weakref.WeakSet[Program] = weakref.WeakSet()


def _let_go_of_all() -> None:
    for program in list(_RUNNING):
        program.let_go()


# A child of ours that kept our end of its input open would keep a program waiting for more, for ever.
os.register_at_fork(after_in_child=_let_go_of_all)
