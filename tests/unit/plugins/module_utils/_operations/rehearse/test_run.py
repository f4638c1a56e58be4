# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rehearsal ends that comes to no server, and how it asks one. The programs here are scripts, not Consul."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from support.states import Record, archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.equivalence import Comparison, Reference
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ApiError,
    ArchiveError,
    FileError,
    ServerDied,
    SnapshotError,
    TransportError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations import proof
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.proof import Prover
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse import run
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.assertions import Assertion
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.result import Ending
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import Fingerprint
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.signals import TimedOut

KEY = Assertion("a key", "kv_key", "a")


@pytest.fixture
def work_dir(tmp_path: Path) -> Iterable[Path]:
    """A directory in which nothing must be left."""
    path = tmp_path / "work"
    path.mkdir()
    yield path
    assert list(path.iterdir()) == []


def program(path: Path, text: str) -> str:
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)
    return str(path)


def archive(path: Path, records: Iterable[Record] = ()) -> str:
    path.write_bytes(archive_around(state_of([kv("a", b"x"), *records])))
    return str(path)


class Scene:
    """An archive, a program that says it is Consul, and what a rehearsal of both comes to."""

    def __init__(self, tmp_path: Path, work_dir: Path) -> None:
        self.src = archive(tmp_path / "a.snap")
        self.binary = program(tmp_path / "consul", "[ $1 = version ] && echo 'Consul v1.22.7' && exit; exit 7")
        self.work_dir = str(work_dir)
        self.journal = Journal()

    def rehearse(self, *, check: bool = False, **options: Any) -> Ending:
        told = {"src": self.src, "consul_binary": self.binary, "work_dir": self.work_dir, "timeout": 60, **options}
        return run.Rehearsal(self.journal).run(run.RehearseRequest(**told), check=check)


@pytest.fixture
def scene(tmp_path: Path, work_dir: Path) -> Scene:
    """A rehearsal that could begin."""
    return Scene(tmp_path, work_dir)


def test_check_mode_looks_and_starts_nothing(scene: Scene) -> None:
    ending = scene.rehearse(check=True, max_age=10, max_rto=1.0, assertions=(KEY,))
    assert ending.conclusion.verdict is None
    assert ending.examined is not None
    assert ending.binary is not None
    assert (ending.binary.version, ending.isolation, ending.outcomes) == ("1.22.7", None, ())
    # What can't be known without a server is not judged.
    assert [limit.name for limit in ending.conclusion.targets] == ["age"]
    assert ending.conclusion.assertions == ()
    assert scene.journal.duration.keys() == {"verify", "binary", "total"}


def test_check_mode_needs_no_work_dir(scene: Scene) -> None:
    assert scene.rehearse(check=True, work_dir="/nowhere").conclusion.verdict is None
    missing = scene.rehearse(work_dir="/nowhere").conclusion
    assert (missing.verdict, type(missing.cause)) == ("incomplete", FileError)


def test_an_archive_that_does_not_verify(scene: Scene) -> None:
    path = Path(scene.src)
    path.write_bytes(path.read_bytes()[:-20])
    ending = scene.rehearse(assertions=(KEY,), max_age=10, max_rto=1.0)
    assert (ending.conclusion.verdict, type(ending.conclusion.cause)) == ("refused", ArchiveError)
    assert (ending.phase, ending.examined, ending.binary) == ("verify", None, None)
    assert [(limit.name, limit.actual) for limit in ending.conclusion.targets] == [("rto", None), ("age", None)]
    assert [(outcome.name, outcome.passed) for outcome in ending.conclusion.assertions] == [("a key", False)]


def test_an_archive_or_a_program_that_is_missing(scene: Scene) -> None:
    missing = scene.rehearse(src="/nowhere/a.snap")
    assert (missing.conclusion.verdict, missing.phase) == ("incomplete", "verify")
    ending = scene.rehearse(consul_binary="/nowhere/consul")
    assert (ending.conclusion.verdict, ending.phase) == ("incomplete", "binary")
    assert "there is no program /nowhere/consul" in ending.conclusion.reason
    assert ending.examined is not None


def test_records_that_the_server_cannot_read(scene: Scene, tmp_path: Path) -> None:
    src = archive(tmp_path / "unknown.snap", [Record(99, {"ID": "x"})])
    for check in (True, False):
        ending = scene.rehearse(src=src, check=check)
        assert (ending.conclusion.verdict, ending.isolation) == ("refused", None)
    assert scene.rehearse(src=src, check=True, attempt_anyway=True).conclusion.verdict is None


def test_a_server_that_does_not_start(scene: Scene) -> None:
    ending = scene.rehearse(assertions=(KEY,))
    assert (ending.conclusion.verdict, ending.phase, ending.rto) == ("incomplete", "start", {})
    assert isinstance(ending.conclusion.cause, ServerDied)
    assert "ended with exit code 7" in ending.conclusion.reason
    assert ending.isolation in ("network_namespace", "loopback")
    # It took its time, but was not finished.
    assert "start" in scene.journal.duration


def test_the_directory_is_kept_on_demand(scene: Scene) -> None:
    ending = scene.rehearse(keep_on_failure=True)
    assert ending.kept_dir is not None
    kept = Path(ending.kept_dir)
    assert kept.parent == Path(scene.work_dir)
    assert (kept / "config.json").exists()
    shutil.rmtree(kept)
    # Where nothing was begun there is nothing to keep.
    assert scene.rehearse(keep_on_failure=True, consul_binary="/nowhere/consul").kept_dir is None


def test_the_time_limit(scene: Scene, tmp_path: Path) -> None:
    hanging = program(tmp_path / "hanging", "sleep 1000")
    begun = time.monotonic()
    ending = scene.rehearse(consul_binary=hanging, timeout=1)
    assert time.monotonic() - begun < 14
    assert ending.conclusion.verdict == "incomplete"
    assert "did not complete within 1 s (last phase: binary)" in ending.conclusion.reason


def test_leftovers_of_killed_runs_are_cleared(scene: Scene) -> None:
    left = Path(scene.work_dir) / "consul-rehearsal-killed"
    left.mkdir(mode=0o700)
    # A check changes nothing.
    assert scene.rehearse(check=True).cleared == ()
    assert left.exists()
    assert scene.rehearse(consul_binary="/nowhere/consul").cleared == (str(left),)


def test_what_breaks_it_off_leaves_how_far_it_came(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "find_binary", interrupted)
    rehearsal = run.Rehearsal(scene.journal)
    with pytest.raises(KeyboardInterrupt):
        rehearsal.run(run.RehearseRequest(scene.src, work_dir=scene.work_dir), check=False)
    assert (rehearsal.reached.phase, rehearsal.reached.conclusion.verdict) == ("binary", "incomplete")
    assert rehearsal.reached.examined is not None


class Server:
    """Stands for a throwaway server that is alive, or about to end."""

    memory = 7

    def __init__(self, alive: bool = True) -> None:
        self.alive = alive
        self.looks = 0

    def check_alive(self, patience: float = 0) -> None:
        self.looks += 1
        if not self.alive:
            raise ServerDied("it ended", crash_log=[])


class Answering(Prover):
    """Compares to what it is given, the last answer from then on."""

    answers: list[bool | SnapshotError]

    def compare(self, client: object, *, known: Fingerprint | None = None) -> Comparison:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SnapshotError):
            raise answer
        return Comparison({"equal": answer, "differs": [] if answer else ["KVS"]}, Fingerprint({}))


def prove(server: Server, *answers: bool | SnapshotError) -> Comparison:
    prover = Answering(Reference(Fingerprint({})))
    object.__setattr__(prover, "answers", list(answers))
    return run._prove(None, server, prover)  # type: ignore[arg-type]  # stand-ins


BUSY = ApiError("busy", status=500, body="", url="", retryable=True)
FULL = ApiError("no space left on device", status=500, body="", url="", retryable=True)


def test_what_differs_is_looked_at_again() -> None:
    server = Server()
    assert prove(server, False, BUSY, True).proof["equal"]
    assert server.looks == 2


def test_a_proof_is_not_looked_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "PROOF_SECONDS", 0)
    server = Server()
    assert not prove(server, False).proof["equal"]
    with pytest.raises(ApiError):
        prove(server, BUSY)
    assert server.looks == 0


@pytest.mark.parametrize(
    ("server", "answer", "raised"),
    [
        (Server(), FULL, ApiError),
        (Server(), ApiError("no", status=403, body="", url=""), ApiError),
        (Server(alive=False), False, ServerDied),
    ],
)
def test_what_is_not_looked_at_again(server: Server, answer: Any, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        prove(server, answer, True)


@pytest.mark.parametrize(("alive", "raised"), [(True, TransportError), (False, ServerDied)])
def test_a_server_that_stops_answering_may_be_dying(
    alive: bool, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_arguments: object) -> None:
        raise TransportError("cut")

    rehearsal = run.Rehearsal(Journal())
    monkeypatch.setattr(rehearsal, "_restore_into", cut)
    with pytest.raises(raised):
        rehearsal._try(Server(alive), None, None, None)  # type: ignore[arg-type]  # stand-ins
    assert rehearsal.reached.memory == 7


def test_the_time_is_up_whatever_is_under_way(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(server: object, request: object, examined: object, binary: object) -> None:
        raise TimedOut

    rehearsal = run.Rehearsal(scene.journal)
    monkeypatch.setattr(rehearsal, "_try", late)
    request = run.RehearseRequest(scene.src, scene.binary, work_dir=scene.work_dir, keep_on_failure=True)
    ending = rehearsal.run(request, check=False)
    assert ending.conclusion.verdict == "incomplete"
    assert ending.kept_dir is not None
    shutil.rmtree(ending.kept_dir)
