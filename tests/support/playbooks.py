# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run as a user runs them: ``ansible-playbook`` in a process, judged by its exit code and what it prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lab import Cluster, Server
from lab.statefile import write_private
from support.modules import collections_root, interpreter

TIMEOUT = 180.0
RECAP = re.compile(r"^(\S+)\s+: (ok=\d+ .*)$", re.MULTILINE)
PLUGINS = Path(__file__).resolve().parents[1] / "integration" / "roles" / "connection_plugins"


class Played(NamedTuple):
    """How a run ended: ``recap`` is Ansible's table, host to its counts."""

    code: int
    output: str
    recap: dict[str, dict[str, int]]

    @property
    def changed(self) -> int:
        """How many tasks changed something, on all hosts."""
        return sum(counts["changed"] for counts in self.recap.values())

    def says(self, text: str) -> bool:
        """Whether the output holds this text, however it was quoted and wrapped: ansible-core 2.18 wraps warnings."""
        return " ".join(text.split()) in " ".join(self.output.replace('\\"', '"').split())


class Ansible:
    """Runs playbooks in a directory; no run may show one of ``secrets``."""

    def __init__(self, directory: Path, secrets: Iterable[str], *, timeout: float = TIMEOUT) -> None:
        self.directory = directory
        self._timeout = timeout
        self._secrets = tuple(secrets)
        self._written = 0
        # Not that of the user or of the machine.
        (directory / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")

    def inventory(self, hosts: Mapping[str, Mapping[str, Any]], *, name: str = "inventory", **variables: Any) -> Path:
        """Write an inventory whose hosts are all in the group consul, and return its path."""
        common = {"ansible_connection": "local", "ansible_python_interpreter": interpreter(), **variables}
        path = self.directory / f"{name}.yml"
        write_private(path, json.dumps({"consul": {"hosts": {**hosts}, "vars": common}}))
        return path

    def playbook(self, *plays: Mapping[str, Any]) -> Path:
        """Write a playbook and return its path, which no other one of this object has."""
        self._written += 1
        path = self.directory / f"play-{self._written}.yml"
        path.write_text(json.dumps(plays), encoding="utf-8")
        return path

    def run(
        self,
        playbook: Path | str,
        inventory: Path | None,
        *,
        check: bool = False,
        verbosity: int = 0,
        options: Iterable[str] = (),
        env: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Played:
        """Run a playbook, by its path or by its name in the collection; ``variables`` win over all others."""
        name = str(playbook) if isinstance(playbook, Path) else f"disaster_recovery.consul.{playbook}"
        command = [str(Path(sys.executable).with_name("ansible-playbook")), name, *options]
        command += ["-i", str(inventory)] if inventory else []
        command += ["--check"] if check else []
        command += [f"-{'v' * verbosity}", "--diff"] if verbosity else []
        command += ["-e", json.dumps(variables)] if variables else []
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self._timeout,
            check=False,
        )
        for secret in self._secrets:
            assert secret not in done.stdout, f"a secret was shown by {command[1]}"
        recap = {
            host: {key: int(value) for key, value in (pair.split("=") for pair in counts.split())}
            for host, counts in RECAP.findall(done.stdout)
        }
        return Played(done.returncode, done.stdout, recap)

    def ok(self, playbook: Path | str, inventory: Path | None, **options: Any) -> Played:
        """Run a playbook that must end well."""
        played = self.run(playbook, inventory, **options)
        assert played.code == 0, played.output
        return played

    def fails(self, playbook: Path | str, inventory: Path | None, *texts: str, **options: Any) -> Played:
        """Run a playbook that must fail and say each of these."""
        played = self.run(playbook, inventory, **options)
        assert played.code != 0, played.output
        assert "Traceback" not in played.output, played.output
        for text in texts:
            assert played.says(text), f"not said: {text}\n{played.output}"
        return played

    def environment(self) -> dict[str, str]:
        """This process's environment, but for what it says about Consul and Ansible."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONSUL_", "ANSIBLE_"))}
        return {
            **clean,
            "ANSIBLE_COLLECTIONS_PATH": str(collections_root()),
            "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
            "ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS),
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_PIPELINING": "1",
        }


def connection(server: Server, token: str | None) -> dict[str, Any]:
    """The options that lead to one server, over plain HTTP; no further tries, because nothing here mends by itself."""
    told = {"host": "127.0.0.1", "port": server.http_port, "retries": 0}
    return {**told, "token": token} if token else told


def hosts_of(cluster: Cluster, *, count: int = 1, token: str | None = None) -> dict[str, dict[str, Any]]:
    """The first servers of a cluster as hosts, with the management token or another; ``token=""`` gives none."""
    secret = cluster.tokens.initial_management if token is None else token
    return {server.name: {"backup_connection": connection(server, secret)} for server in cluster.servers[:count]}
