# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of a fault: a module's run against a spoilt server, and what must hold however it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from support.faults import FaultServer
from support.modules import Outcome, Runner, finish, start

SNAPSHOT = ("GET", "/v1/snapshot")
RESTORE = ("PUT", "/v1/snapshot")
RETRIES = 1
ONCE, RETRIED = 1, 1 + RETRIES


def check_decent(outcome: Outcome, secrets: Iterable[str]) -> None:
    """However a module ends: no traceback, no defect, nothing but JSON, a hint that helps, and no secret."""
    assert outcome.stderr == ""
    assert "Traceback" not in outcome.stdout
    assert outcome.failure.get("kind") != "defect", outcome.result["msg"]
    assert outcome.failed == bool(outcome.failure)
    assert outcome.code == int(outcome.failed)
    for secret in secrets:
        assert secret not in outcome.stdout


class Scene:
    """A module that talks to a real server through one that spoils answers."""

    def __init__(self, runner: Runner, server: FaultServer, token: str) -> None:
        self.server = server
        self.token = token
        self._runner = runner

    def options(self, **changes: Any) -> dict[str, Any]:
        """Options of the connection, ``changes`` made; None leaves one out."""
        told = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "token": self.token,
            "timeout": 20,
            "retries": RETRIES,
            "retry_delay": 0.01,
            **changes,
        }
        return {name: value for name, value in told.items() if value is not None}

    def run(self, module: str, **options: Any) -> Outcome:
        """Run a module to its end, and check what must always hold."""
        outcome = self._runner.run(module, **self.options(**options))
        check_decent(outcome, [self.token])
        return outcome

    def start(self, module: str, *, limits: Sequence[str] = (), **options: Any) -> subprocess.Popen[str]:
        """Start a module in a process that can be signalled or limited; see ``support.modules``."""
        return start(module, limits=limits, **self.options(**options))

    def finish(self, process: subprocess.Popen[str]) -> Outcome:
        """Wait for such a process, and check what must always hold."""
        outcome = finish(process)
        check_decent(outcome, [self.token])
        return outcome


class Saving(Scene):
    """Saves to a ``dest`` at which an older good archive lies, its manifest beside it."""

    def __init__(self, runner: Runner, server: FaultServer, token: str, *, older: Path, directory: Path) -> None:
        super().__init__(runner, server, token)
        self.directory = directory
        self.dest = directory / older.name
        self.manifest = manifest_of(self.dest)
        for source in (older, manifest_of(older)):
            shutil.copy2(source, directory / source.name)
        self._before = contents(directory)

    def save(self, **changes: Any) -> Outcome:
        """Run ``snapshot_save``."""
        return self.run("snapshot_save", **{"dest": str(self.dest), **changes})

    def start_save(self, *, limits: Sequence[str] = (), **changes: Any) -> subprocess.Popen[str]:
        """Start ``snapshot_save``."""
        return self.start("snapshot_save", limits=limits, **{"dest": str(self.dest), **changes})

    def check_failed(self, outcome: Outcome, kind: str) -> None:
        """The save failed for this reason, and the directory holds what it held before, byte for byte."""
        assert outcome.failed
        assert outcome.failure["kind"] == kind, outcome.result["msg"]
        self.check_untouched()

    def check_untouched(self) -> None:
        """The directory is what it was."""
        assert contents(self.directory) == self._before

    def check_saved(self, outcome: Outcome, sent: bytes) -> None:
        """The save went well: exactly what the server sent is in place, private, and described by its manifest."""
        assert not outcome.failed, outcome.result.get("msg")
        assert outcome.result["changed"]
        assert contents(self.directory).keys() == self._before.keys()
        assert self.dest.read_bytes() == sent
        assert self.manifest.read_bytes() != self._before[self.manifest.name]
        assert {path.stat().st_mode & 0o777 for path in (self.dest, self.manifest)} == {0o600}


class Restoring(Scene):
    """Restores an archive with its manifest into a cluster that holds something else."""

    def __init__(self, runner: Runner, server: FaultServer, token: str, *, archive: Path, directory: Path) -> None:
        super().__init__(runner, server, token)
        self.src = directory / archive.name
        self.manifest = manifest_of(self.src)
        self.backup_dir = directory / "replaced"
        self.backup_dir.mkdir()
        for source in (archive, manifest_of(archive)):
            shutil.copy2(source, directory / source.name)

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """Arguments with which nothing but a fault stops the restore."""
        told: dict[str, Any] = {
            "src": str(self.src),
            "backup_dir": str(self.backup_dir),
            "accept_risks": ["replace_content"],
            "wait_timeout": 10,
        }
        return {**told, **changes}

    def use(self, archive: bytes) -> None:
        """Restore this archive, which has no manifest."""
        self.src.write_bytes(archive)
        self.manifest.unlink(missing_ok=True)

    def restore(self, **changes: Any) -> Outcome:
        """Run ``snapshot_restore``."""
        return self.run("snapshot_restore", **self.arguments(**changes))

    def start_restore(self, *, limits: Sequence[str] = (), **changes: Any) -> subprocess.Popen[str]:
        """Start ``snapshot_restore``."""
        return self.start("snapshot_restore", limits=limits, **self.arguments(**changes))

    def check_refused(self, outcome: Outcome, kind: str) -> None:
        """It ended for this reason before anything was sent, and left nothing behind."""
        assert outcome.failed
        assert outcome.failure["kind"] == kind, outcome.result["msg"]
        assert outcome.failure["state"] == "nothing_sent"
        assert self.server.count(*RESTORE) == 0
        assert list(self.backup_dir.iterdir()) == []

    def check_kept(self, outcome: Outcome) -> None:
        """What was, or might be, replaced is kept, and the message says where."""
        kept = Path(outcome.result["backup_file"])
        assert str(kept) in outcome.result["msg"]
        assert {kept, manifest_of(kept)} == set(self.backup_dir.iterdir())


def manifest_of(archive: Path) -> Path:
    """Return where an archive's manifest lies."""
    return archive.with_name(archive.name + ".manifest.json")


def confirmations_of(archive: Path) -> list[dict[str, Any]]:
    """Return the confirmations that lie beside an archive, the oldest first."""
    paths = sorted(archive.parent.glob(f"{archive.name}.confirmed-*"))
    return [json.loads(path.read_text()) for path in paths]


def archives_in(directory: Path) -> dict[str, bytes]:
    """Return every file of a directory but confirmations, with what is in it."""
    return {name: data for name, data in contents(directory).items() if ".confirmed-" not in name}


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file of a directory with what is in it."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}
