# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that end with the process that started them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import BinaryError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox import process
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.launch import identity_of

SHELL = shutil.which("sh") or ""


def shell(text: str) -> tuple[str, int | None]:
    return process.output_of([SHELL, "-c", text])


@pytest.mark.parametrize(
    ("text", "output", "code"),
    [("echo a; echo b >&2", "a\nb\n", 0), ("echo a; exit 3", "a\n", 3), ("exit 0", "", 0), ("kill -9 $$", "", -9)],
)
def test_output_and_exit_code(text: str, output: str, code: int) -> None:
    assert shell(text) == (output, code)


def test_more_than_anybody_reads() -> None:
    output, code = shell("while :; do echo 0123456789; done")
    assert output.startswith("0123456789\n")
    assert len(output) < 1 << 17
    assert code is None


def test_a_program_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_PATIENCE", 2.0)
    pids = tmp_path / "pids"
    begun = time.monotonic()
    output, code = shell(f"sleep 1000 & echo $! >{pids}; echo $$ >>{pids}; echo begun; sleep 1000")
    assert (output, code) == ("begun\n", None)
    assert time.monotonic() - begun < 30
    for pid in map(int, pids.read_text().split()):
        end = time.monotonic() + 10
        while identity_of(pid) is not None:
            assert time.monotonic() < end, f"{pid} is still there"
            time.sleep(0.02)


def test_little_of_the_environment_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", "hidden")
    monkeypatch.setenv("CONSUL_LICENSE", "a-licence")
    env = shutil.which("env")
    assert env is not None
    output, code = process.output_of([env])
    assert code == 0
    names = {line.partition("=")[0] for line in output.splitlines()}
    assert "CONSUL_LICENSE" in names
    assert names <= {"PATH", "LANG", "CONSUL_LICENSE", "CONSUL_LICENSE_PATH", "HOME", "TMPDIR", "LC_CTYPE"}


def test_the_path_of_a_licence_does_not_depend_on_the_directory() -> None:
    told = {"PATH": "/bin", "CONSUL_LICENSE_PATH": "a/licence"}
    assert process.environment_from(told) == {**told, "CONSUL_LICENSE_PATH": f"{os.getcwd()}/a/licence"}
    assert process.environment_from({"CONSUL_LICENSE_PATH": ""}) == {"CONSUL_LICENSE_PATH": ""}


def test_it_says_who_it_is_before_it_begins(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with open(os.devnull, "wb") as output:
        begun = process.start_program([SHELL, "-c", "sleep 1000"], (), home="/", note=str(note), output=output)
    try:
        end = time.monotonic() + 30
        while not (note.exists() and note.read_text()):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert note.read_text() == identity_of(begun.pid)
        assert note.stat().st_mode & 0o777 == 0o600
    finally:
        with contextlib.suppress(ProcessLookupError):
            begun.kill()
        begun.wait()


def test_no_process_can_be_started(tmp_path: Path) -> None:
    with pytest.raises(BinaryError, match="can't start a program: No such file or directory"):
        process.start_program([SHELL], (), home=str(tmp_path / "nowhere"), note="", output=subprocess.DEVNULL)


def test_isolation_without_unshare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert process.own_network() == ()
    assert process.isolation() == process.LOOPBACK


def test_isolation_that_the_kernel_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unshare = tmp_path / "unshare"
    unshare.write_text(f"#!{SHELL}\necho 'Operation not permitted' >&2; exit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert process.own_network()[0] == str(unshare)
    assert process.isolation() == process.LOOPBACK
