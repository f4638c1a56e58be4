# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is left behind: not by signals, not by a kill at any moment, and nothing of others is touched."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.modules import finish, start

from lab import binaries

from .conftest import Rehearse, SampleOf, processes_in

SECONDS = 30.0


def started(rehearse: Rehearse, src: Path, **options: object) -> subprocess.Popen[str]:
    return start("snapshot_rehearse", **rehearse.options(src, **options))


def wait_for(directory: Path, pattern: str) -> Path:
    """Wait until there is such a file, and return it."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for path in directory.glob(pattern):
            return path
        time.sleep(0.005)
    raise AssertionError(f"there is no {pattern}")


def wait_alone(directory: Path) -> None:
    """Wait until no process is left: one that was killed takes a moment to be gone."""
    end = time.monotonic() + SECONDS
    while processes_in(directory):
        assert time.monotonic() < end, processes_in(directory)
        time.sleep(0.02)


def rooms(directory: Path) -> list[Path]:
    return sorted(directory.glob("consul-rehearsal-*"))


MOMENTS = {
    "the directory is made": "consul-rehearsal-*",
    "the server is about to begin": "consul-rehearsal-*/consul.log",
    "the server has said who it is": "consul-rehearsal-*/process",
    "the server has begun": "consul-rehearsal-*/data/raft",
    "the server answers": "consul-rehearsal-*/api.sock",
    "it restores": "consul-rehearsal-*/data/raft/snapshots/*",
}


@pytest.mark.parametrize("pattern", MOMENTS.values(), ids=MOMENTS)
def test_killed(pattern: str, sample_of: SampleOf, rehearse: Rehearse) -> None:
    src, work_dir = sample_of(binaries.NEW).path, rehearse.work_dir
    module = started(rehearse, src)
    wait_for(work_dir, pattern)
    module.kill()
    module.communicate()
    left = rooms(work_dir)

    assert len(left) == 1
    # The server dies with the one who started it, without waiting for anybody to come by.
    wait_alone(work_dir)
    # The next one clears what is left, whatever it comes to itself.
    result = rehearse.fails(src, "/nowhere/consul")
    assert result["cleared"] == [str(left[0])]


def test_killed_at_any_moment(sample_of: SampleOf, rehearse: Rehearse) -> None:
    src = sample_of(binaries.NEW).path
    modules = [started(rehearse, src) for _number in range(6)]
    begun = time.monotonic()
    for module, moment in zip(modules, sorted(random.uniform(0.3, 6) for _module in modules), strict=True):
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        module.kill()
        module.communicate()
    wait_alone(rehearse.work_dir)
    left = [str(path) for path in rooms(rehearse.work_dir)]
    assert rehearse.ok(src)["cleared"] == left


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGTERM, "the server is about to begin"),
        (signal.SIGTERM, "it restores"),
        (signal.SIGHUP, "the server answers"),
        (signal.SIGINT, "it restores"),
    ],
    ids=str,
)
def test_told_to_end(number: signal.Signals, moment: str, sample_of: SampleOf, rehearse: Rehearse) -> None:
    module = started(rehearse, sample_of(binaries.NEW).path, keep_on_failure=True)
    wait_for(rehearse.work_dir, MOMENTS[moment])
    module.send_signal(number)
    if number != signal.SIGINT:
        # Once more does not break off the cleaning up.
        time.sleep(0.01)
        module.send_signal(number)
    outcome = finish(module)
    assert outcome.failure["kind"] == "interrupted"
    assert outcome.result["passed"] is False
    assert list(rehearse.work_dir.iterdir()) == []


def test_one_that_is_alive_is_left_alone(sample_of: SampleOf, rehearse: Rehearse) -> None:
    src = sample_of(binaries.NEW).path
    module = started(rehearse, src)
    wait_for(rehearse.work_dir, "consul-rehearsal-*/api.sock")
    other = rehearse.fails(src, "/nowhere/consul")
    outcome = finish(module)

    assert other["cleared"] == []
    assert (outcome.result["verdict"], outcome.result["cleared"]) == ("proven", [])


def test_no_other_process_is_ended(sample_of: SampleOf, rehearse: Rehearse) -> None:
    src, work_dir = sample_of(binaries.NEW).path, rehearse.work_dir
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]) as bystander:
        fields = Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        ticks = int(fields[19])
        # Its pid was another's before: at another time, or in another life of this machine.
        pid = bystander.pid
        notes = [f"{pid} {ticks - 1} {boot}", f"{pid} {ticks} {boot[::-1]}", str(pid), "x", ""]
        for number, note in enumerate(notes):
            room = work_dir / f"consul-rehearsal-{number}"
            room.mkdir(mode=0o700)
            (room / "process").write_text(note)
        # What others may write to tells us nothing, even if it tells the truth.
        open_to_all = work_dir / "consul-rehearsal-open"
        open_to_all.mkdir()
        open_to_all.chmod(0o777)
        (open_to_all / "process").write_text(f"{bystander.pid} {ticks} {boot}")
        (work_dir / "consul-rehearsal-file").write_text("no directory")
        (work_dir / "consul-rehearsal-link").symlink_to(open_to_all)
        result = rehearse.fails(src, "/nowhere/consul")
        assert bystander.poll() is None

        assert len(result["cleared"]) == len(notes)
        assert {path.name[len("consul-rehearsal-") :] for path in rooms(work_dir)} == {"open", "file", "link"}
        # With a note that is true, in a directory of ours: that is what is ended.
        open_to_all.chmod(0o700)
        assert rehearse.fails(src, "/nowhere/consul")["cleared"] == [str(open_to_all)]
        assert bystander.wait(SECONDS) == -signal.SIGKILL
    for path in rooms(work_dir):
        path.unlink()


def test_ten_at_once(sample_of: SampleOf, rehearse: Rehearse, record_property: Callable[[str, object], None]) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        modules = [started(rehearse, sample_of(binaries.NEW).path) for _number in range(10)]
        outcomes = list(pool.map(finish, modules))
    seconds = round(time.monotonic() - begun, 1)

    assert [outcome.result["verdict"] for outcome in outcomes] == ["proven"] * 10
    assert {tuple(outcome.result["cleared"]) for outcome in outcomes} == {()}
    record_property("seconds", seconds)
    record_property("megabytes", sum(outcome.result["memory_bytes"] for outcome in outcomes) >> 20)
