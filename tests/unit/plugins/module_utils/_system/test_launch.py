# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that dies with its parent; the launcher is run as it is in use, by its text."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._system import launch
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.launch import identity_of

TEXT = inspect.getsource(launch)


def started(*command: str, note: str = "", parent: int | None = None, home: str = "/") -> subprocess.Popen[str]:
    """Start a program through the launcher."""
    arguments = [str(os.getpid() if parent is None else parent), note, home, "", *command]
    return subprocess.Popen(
        [sys.executable, "-c", TEXT, *arguments],
        # Of its own: one that waits for input would end at once where the tests have none.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SECRET": "must not pass", "CONSUL_LICENSE": "a licence"},
    )


def test_an_identity_is_that_of_a_living_process_alone() -> None:
    identity = identity_of(os.getpid())
    assert identity is not None
    assert identity.split()[0] == str(os.getpid())
    assert identity_of(os.getpid()) == identity
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert identity_of(child.pid) not in (None, identity)
    child.kill()
    # Ended and not yet waited for is ended.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert identity_of(child.pid) is None
    child.communicate()
    assert identity_of(child.pid) is None


def test_the_program_gets_little_of_our_environment(tmp_path: Path) -> None:
    show = (
        "import os, resource; print(sorted(os.environ), resource.getrlimit(resource.RLIMIT_CORE), os.environ['HOME'])"
    )
    output, errors = started(sys.executable, "-c", show, home=str(tmp_path)).communicate(timeout=30)
    assert errors == ""
    names = {"CONSUL_LICENSE", "HOME", "TMPDIR", "PATH"}
    for name in names:
        assert f"'{name}'" in output
    assert "SECRET" not in output
    assert "(0, 0)" in output
    assert output.strip().endswith(str(tmp_path))


def test_the_note_names_the_program(tmp_path: Path) -> None:
    note = tmp_path / "process"
    process = started(sys.executable, "-c", "print('ready', flush=True); input()", note=str(note))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert note.read_text() == identity_of(process.pid)
    assert note.stat().st_mode & 0o777 == 0o600
    process.kill()
    process.communicate()


def test_a_note_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    note = tmp_path / "process"
    note.write_text("of somebody else")
    process = started(sys.executable, "-c", "", note=str(note))
    assert "FileExistsError" in process.communicate(timeout=30)[1]
    assert note.read_text() == "of somebody else"


def test_a_parent_that_is_gone_already() -> None:
    process = started(sys.executable, "-c", "print('runs')", parent=1)
    assert process.communicate(timeout=30) == ("", "the parent is gone\n")


def test_without_a_program_it_is_only_tried() -> None:
    process = started()
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


@pytest.mark.skipif(not hasattr(signal, "pidfd_send_signal"), reason="the launcher's own tie needs Linux")
def test_it_dies_with_its_parent() -> None:
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    parent = (
        "import os, subprocess, sys\n"
        f"launcher = [sys.executable, '-c', {TEXT!r}, str(os.getpid()), '', '/', '']\n"
        f"subprocess.Popen([*launcher, sys.executable, '-c', {program!r}])\n"
        "input()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert identity_of(pid) is not None
    process.kill()
    # The program has the other end of its output, so that reading on would wait for it.
    process.wait()
    deadline = time.monotonic() + 10
    while identity_of(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    lives_on = identity_of(pid) is not None
    if lives_on:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    assert not lives_on
