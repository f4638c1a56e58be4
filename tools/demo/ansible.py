# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible as a user runs it: the collection built and installed, playbooks called by their names."""

from __future__ import annotations

import json
import locale
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from env.places import CHECKOUT, collection_in
from lab import LabError
from lab.process import deferred_interrupts, spawn
from lab.server import clean_environment

from . import recap
from .places import Places
from .screen import Screen

PLAYBOOK_SECONDS = 300.0
INSTALL_SECONDS = 180.0
PAUSE = 0.1


@dataclass(frozen=True)
class Played:
    """How a playbook ended: ``word`` as Ansible's recap has it, ``said`` what it told the person, ``log`` all of it."""

    word: str
    said: list[recap.Message]
    log: str


class Ansible:
    """Runs commands in the work directory, each with a log of its own; none may show one of ``secrets``."""

    def __init__(self, places: Places, screen: Screen, secrets: Iterable[str]) -> None:
        self._places = places
        self._screen = screen
        self._secrets = list(secrets)
        self._logs = 0
        # Not that of the user or of the machine.
        self._config = places.work / "ansible.cfg"
        self._config.write_text("[connection]\npipelining = true\n", encoding="utf-8")

    def conceal(self, secret: str) -> None:
        """From now on this may not be shown either."""
        self._secrets.append(secret)

    def install(self) -> str:
        """Build the collection, install what was built, and return its version."""
        command = [sys.executable, "-m", "env.artifact", str(self._places.collections)]
        code, log, _name = self._run("install", command, INSTALL_SECONDS, PYTHONPATH=str(CHECKOUT / "tools"))
        if code:
            raise LabError(f"the collection can't be built or installed:\n{log.strip()}")
        manifest = collection_in(self._places.collections) / "MANIFEST.json"
        version: str = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
        return version

    def play(self, playbook: str, inventory: Path, *, expected: str, **variables: str) -> Played:
        """Run a playbook of the collection; it has to be what is ``expected``: changed, unchanged, or refused.

        What a refused one said is what it failed with.
        """
        command = [str(Path(sys.executable).with_name("ansible-playbook")), f"disaster_recovery.consul.{playbook}"]
        command += ["-i", str(inventory)]
        for variable, value in variables.items():
            command += ["-e", f"{variable}={value}"]
        code, log, name = self._run(playbook, command, PLAYBOOK_SECONDS)
        if any(secret in log for secret in self._secrets):
            raise LabError(f"{playbook} showed a secret: see {name}")
        word, errors, said = recap.word(recap.recap(log)), recap.errors(log), recap.messages(log)
        if code and word == "failed" and any("nothing was sent" in error for error in errors):
            word, said = "refused", [recap.Message(recap.current_task(log), errors)]
        elif code or word in ("failed", "nothing"):
            raise LabError("\n".join([f"{playbook} failed with exit code {code}: see {name}", *errors]))
        if word != expected:
            lines = [line for message in said for line in message.lines]
            raise LabError("\n".join([f"{playbook} was {word} and has to be {expected}: see {name}", *lines]))
        return Played(word, said, name)

    def _run(self, name: str, command: Sequence[str], seconds: float, **variables: str) -> tuple[int, str, str]:
        """Return the exit code, what was printed, and the name of the log that holds it."""
        self._logs += 1
        log = self._places.logs / f"{self._logs:02}-{name}.log"
        began = time.monotonic()
        with deferred_interrupts():
            environment = {**self._environment(), **variables}
            process = spawn(command, cwd=self._places.work, log=log, env=environment, detached=False)
        while process.poll() is None:
            elapsed = time.monotonic() - began
            if elapsed > seconds:
                raise LabError(f"{name} does not end: {seconds:.0f} s are over; it is stopped now")
            self._screen.passing(f"{elapsed:.0f} s  {recap.current_task(_text(log))}")
            time.sleep(PAUSE)
        return process.returncode, _text(log), log.name

    def _environment(self) -> dict[str, str]:
        """This process's environment without what it says about Ansible, Consul and this checkout."""
        told = ("ANSIBLE_", "PYTHONPATH")
        clean = {name: value for name, value in clean_environment().items() if not name.startswith(told)}
        return {
            **clean,
            **_utf8(),
            "ANSIBLE_COLLECTIONS_PATH": str(self._places.collections),
            "ANSIBLE_CONFIG": str(self._config),
            "ANSIBLE_HOME": str(self._places.work / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self._places.tmp / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_NOCOWS": "1",
            "TMPDIR": str(self._places.tmp),
        }


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _utf8() -> dict[str, str]:
    # Ansible insists on such a locale; a machine without a terminal often has none.
    try:
        locale.setlocale(locale.LC_ALL, "")
        encoding = locale.getlocale()[1]
    except locale.Error:
        encoding = None
    return {} if encoding and encoding.lower().replace("-", "") == "utf8" else {"LC_ALL": "C.UTF-8"}
