# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that data passes through: whatever they do, nothing hangs and no process stays."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import programs
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.programs import (
    FilterFailed,
    Program,
    run_program,
    words_in,
)

MEGABYTE = bytes(range(256)) * 4096


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


COPY = python("import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)")


def feed_all(program: Program, megabytes: int) -> None:
    for _number in range(megabytes):
        program.feed(MEGABYTE)
    program.finish()


@pytest.fixture(autouse=True)
def no_process_stays() -> Iterator[None]:
    yield
    with contextlib.suppress(ChildProcessError):
        pid, _status = os.waitpid(-1, os.WNOHANG)
        pytest.fail(f"process {pid} was left")


def test_what_goes_in_comes_out() -> None:
    with Program(COPY) as program:
        written = [piece for _number in range(5) for piece in program.feed(MEGABYTE)]
        written += program.finish()
    assert b"".join(written) == MEGABYTE * 5


def test_a_program_may_write_more_than_it_reads_before_it_reads_on() -> None:
    # Whoever only wrote until all was read would wait for ever.
    greedy = python("import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line * 3000)")
    line = b"x" * 1023 + b"\n"
    with Program(greedy) as program:
        size = sum(map(len, program.feed(line * 8)))
        size += sum(map(len, program.finish()))
    assert size == 8 * 1024 * 3000


def test_nothing_may_go_in() -> None:
    with Program(COPY) as program:
        assert program.finish() == []


def test_what_it_says_is_the_reason() -> None:
    command = python("import sys; sys.stdin.read(); sys.exit('first\\nage: error: the \\x1b[31mreason\\nhint: this')")
    with Program(command) as program:
        program.feed(b"data")
        with pytest.raises(FilterFailed) as caught:
            program.finish()
    assert caught.value.words == "age: error: the \\x1b[31mreason"
    assert not caught.value.is_dead


def test_an_end_without_words_has_its_code() -> None:
    with Program(python("import sys; sys.exit(7)")) as program, pytest.raises(FilterFailed, match="code 7"):
        program.finish()


def test_a_flood_of_words_is_cut() -> None:
    command = python("import sys; sys.stderr.write('x' * 3_000_000); sys.exit(1)")
    with Program(command) as program, pytest.raises(FilterFailed) as caught:
        program.finish()
    assert len(caught.value.words) == 300
    assert len(program._words) < 500_000


def test_one_that_ends_before_it_has_read_everything() -> None:
    with Program(python("import sys; sys.exit('age: error: no such key')")) as program:
        with pytest.raises(FilterFailed) as caught:
            feed_all(program, 10)
        assert caught.value.words == "age: error: no such key"


def test_one_that_succeeds_before_it_has_read_everything_has_failed() -> None:
    with Program(python("import sys; sys.stdin.read(3)")) as program, pytest.raises(FilterFailed, match="ended before"):
        feed_all(program, 10)


def test_one_that_is_killed() -> None:
    command = python("import os, signal, sys; sys.stdin.read(); os.kill(os.getpid(), signal.SIGKILL)")
    with Program(command) as program, pytest.raises(FilterFailed, match="killed by signal 9") as caught:
        program.finish()
    assert caught.value.is_dead


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", "import os, time; os.close(1); time.sleep(60)"])
def test_one_that_hangs_is_ended(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "PATIENCE", 0.3)
    began = time.monotonic()
    with Program(python(code)) as program, pytest.raises(FilterFailed, match="timed out") as caught:
        feed_all(program, 4)
    assert caught.value.is_dead
    assert time.monotonic() - began < 10


def test_one_that_closes_its_streams_and_stays_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "PATIENCE", 0.3)
    command = python("import os, time; os.close(0); os.close(1); os.close(2); time.sleep(60)")
    with Program(command) as program, pytest.raises(FilterFailed, match="timed out"):
        program.finish()


def test_what_it_started_ends_with_it() -> None:
    command = ["/bin/sh", "-c", "sleep 300 & echo $!; wait"]
    with Program(command) as program:
        child = int(b"".join(program.feed(b"x") or program.feed(b"y") or _later(program)))
    end = time.monotonic() + 10
    while Path(f"/proc/{child}/cmdline").exists() and b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.05)


def _later(program: Program) -> list[bytes]:
    while True:
        time.sleep(0.05)
        written = program.feed(b"z")
        if written:
            return written


def test_it_has_no_terminal_and_no_variables_that_it_does_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", "hunter2")
    code = "import os\nprint(os.getsid(0) == os.getpid(), os.getcwd(), *sorted(os.environ))"
    with Program(python(code)) as program:
        said = b"".join(program.finish()).decode().split()
    # LC_CTYPE is of Python's own making.
    assert set(said) - {"HOME", "LC_CTYPE"} == {"True", "/", "LC_ALL", "PATH"}


def test_a_process_that_is_forked_meanwhile_does_not_keep_it_waiting() -> None:
    with Program(COPY) as program:
        gate, opened = os.pipe()
        child = os.fork()
        if not child:
            # A reader of records, or a backend, that lives on longer than the program should.
            os.close(opened)
            os.read(gate, 1)
            os._exit(0)
        os.close(gate)
        try:
            program.feed(b"data")
            began = time.monotonic()
            assert b"".join(program.finish()) == b"data"
            assert time.monotonic() - began < 20
        finally:
            os.close(opened)
            os.waitpid(child, 0)


def test_one_that_is_not_there() -> None:
    with pytest.raises(FilterFailed, match="can't be started: No such file") as caught:
        Program(["/nowhere/age"])
    assert caught.value.is_dead


def test_one_that_may_not_be_run(tmp_path: Path) -> None:
    path = tmp_path / "age"
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(stat.S_IRUSR)
    with pytest.raises(FilterFailed, match="can't be started: Permission denied"):
        Program([str(path)])


def test_a_descriptor_is_passed_on() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"recipients")
    os.close(theirs)
    try:
        with Program(python(f"import sys; print(open('/dev/fd/{ours}').read())"), keep_open=(ours,)) as program:
            assert b"".join(program.finish()) == b"recipients\n"
    finally:
        os.close(ours)


def test_a_short_run() -> None:
    code = "import os, sys; print(sys.stdin.read(), os.environ['WORD']); sys.exit('one\\n\\n two\\x07')"
    done = run_program(python(code), b"data", patience=20, variables={"WORD": "given"})
    assert done == (1, b"data given\n", ["one", "two\\x07"])


def test_a_short_run_that_takes_long_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(FilterFailed, match="timed out after 0 s"):
        run_program(python("import time; time.sleep(60)"), b"", patience=0.2)
    assert time.monotonic() - began < 10


def test_words_are_printable_lines() -> None:
    assert words_in(b"\n one \r\n\xfftwo\x1b[0m\n") == ["one", "\ufffdtwo\\x1b[0m"]


def test_an_exception_half_way_leaves_nothing() -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def break_off() -> None:
        with Program(COPY) as program:
            processes.append(program._process)
            program.feed(b"data")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert [process.returncode for process in processes] == [-9]
