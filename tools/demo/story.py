# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The story: a cluster is filled, saved, lost, made anew, restored, and compared with what it was."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from lab import Cluster, LabError, Tokens, binaries, compare, observe, table
from lab.oracle import Observation, record_counts
from lab.seed import seed
from lab.statefile import write_private

from . import checks, verdict
from .ansible import Ansible
from .errors import DemoError
from .inventory import Vault, inventory
from .places import Places
from .screen import BAD, GOOD, QUIET, Screen
from .steps import Steps

KEYS = 1200
NAME = "demo"
OLD, NEW = "server", "rebuilt"
# The restore role's task for what no playbook can do: worth reading, but too long for here.
ADVICE = "Say what is left to do"
NEWER = "demo/written-after-the-archive"
KIT = {"ROLLBACK.md", "versions.json"}


class Story:
    """One run; ``close`` ends and removes all that it made, however far it came."""

    def __init__(self, places: Places, screen: Screen) -> None:
        self._places = places
        self._screen = screen
        self._steps = Steps(screen)
        self._clusters: list[Cluster] = []
        self._tokens = Tokens()
        self._ansible = Ansible(places, screen, [self._tokens.initial_management, self._tokens.agent])

    def play(self) -> bool:
        """Tell all of it; whether the cluster is what it was."""
        with self._steps.step("get Consul", f"Consul {binaries.NEW}") as step:
            step.say(str(binaries.consul()))
        old = self._three_servers(OLD, "start", f"Three servers on loopback: {OLD}-1, {OLD}-2, {OLD}-3")
        with self._steps.step("fill", "Fill them with what real clusters hold") as step:
            self._screen.passing(f"{KEYS} keys and much else, by HTTP requests")
            step.say(", ".join(f"{number} {kind}" for kind, number in seed(old, keys=KEYS).counts().items()))
        with self._steps.step("install", "ansible-galaxy collection build, then install") as step:
            step.say(f"disaster_recovery.consul {self._ansible.install()}, in a directory of its own")
        before, counted = self._look(old, "look", "Look at everything, by HTTP requests and the consul command")
        identity = checks.identity(old)

        self._back_up(old)
        archive = self._pre_upgrade(old)
        self._mistake(old, archive)
        self._disaster(old)

        title = "Three new servers: other names, ids, certificates, gossip key"
        new = self._three_servers(NEW, "start anew", title, identity)
        self._restore(new, archive)
        after, recounted = self._look(new, "look again", "Look at everything again")
        return self._judge(before, after, verdict.record_faults(counted, recounted), old=old, new=new)

    def close(self) -> None:
        """End the servers at once, and save their logs."""
        for cluster in self._clusters:
            with suppress(LabError, OSError):
                cluster.kill()
            self._save_logs(cluster)

    def _three_servers(self, prefix: str, name: str, title: str, other: set[str] | None = None) -> Cluster:
        cluster = Cluster(
            self._places.work / prefix,
            servers=3,
            tls=True,
            https_client_certs=True,
            http=False,
            gossip=True,
            tokens=self._tokens,
            name_prefix=prefix,
        )
        with self._steps.step(name, title) as step:
            self._clusters.append(cluster)
            self._screen.passing("making certificates, starting, waiting until all are healthy voters")
            cluster.start()
            cluster.wait_ready()
            leader = cluster.leader()
            step.say(f"{leader.name if leader else 'nobody'} leads. {checks.closed_to_strangers(cluster)}")
            if other and (same := other & checks.identity(cluster)):
                raise DemoError(f"the new servers are not new: {verdict.listed(sorted(same))}")
        self._write_inventory(cluster)
        return cluster

    def _write_inventory(self, cluster: Cluster) -> None:
        if cluster.client_tls is None:
            raise DemoError("the cluster has no certificates")
        secrets = self._places.secrets
        ca, cert, key = (secrets / f"{cluster.name_prefix}-{name}.pem" for name in ("ca", "cert", "key"))
        vault = Vault(secrets / "token", ca, cert, key)
        write_private(vault.token_file, self._tokens.initial_management + "\n")
        tls = cluster.client_tls
        for source, target in (
            (tls.ca_file, vault.ca_file),
            (tls.pair.cert, vault.client_cert),
            (tls.pair.key, vault.client_key),
        ):
            write_private(target, source.read_text(encoding="utf-8"))
        ports = {server.name: server.ports.https for server in cluster.servers}
        text = inventory(ports, vault, cluster=NAME, backups=self._places.backups, python=sys.executable)
        write_private(self._inventory(cluster), text)

    def _inventory(self, cluster: Cluster) -> Path:
        return self._places.work / f"{cluster.name_prefix}.yml"

    def _play(
        self,
        playbook: str,
        cluster: Cluster,
        expected: str,
        *,
        again: bool = False,
        name: str | None = None,
        archive: Path | None = None,
    ) -> None:
        path, variables = self._inventory(cluster), {"restore_src": str(archive)} if archive else {}
        options = "".join(f" -e {name}={value}" for name, value in variables.items())
        command = f"ansible-playbook disaster_recovery.consul.{playbook} -i {path}{options}"
        title = "The same command again" if again else command
        with self._steps.step(name or (f"{playbook} again" if again else playbook), title) as step:
            played = self._ansible.play(playbook, path, expected=expected, **variables)
            step.word = played.word
            for message in played.said:
                if message.task == ADVICE:
                    step.say(f"What is left to a person, {len(message.lines)} points: {played.log}")
                else:
                    for line in message.lines:
                        step.say(line)

    def _back_up(self, cluster: Cluster) -> None:
        self._play("backup", cluster, "changed")
        first = self._archives("*.snap")
        if len(first) != 1:
            raise DemoError(f"there are {len(first)} archives after the first backup, and it has to be one")
        self._play("backup", cluster, "unchanged", again=True)
        if self._archives("*.snap") != first:
            raise DemoError("the second backup was to change no archive")

    def _pre_upgrade(self, cluster: Cluster) -> Path:
        self._play("pre_upgrade", cluster, "changed")
        found = list(self._archives("rollback-*/*.snap"))
        if len(found) != 1:
            raise DemoError(f"there are {len(found)} archives in rollback kits, and it has to be one")
        archive = found[0]
        present = {path.name for path in archive.parent.iterdir()}
        if missing := (KIT | {f"{archive.name}.manifest.json"}) - present:
            raise DemoError(f"the rollback kit lacks {', '.join(sorted(missing))}")
        cluster.cli("snapshot", "inspect", archive)
        return archive

    def _mistake(self, cluster: Cluster, archive: Path) -> None:
        """A restore that nobody meant: into the cluster that is alive, and holds something newer."""
        cluster.http("PUT", f"/v1/kv/{NEWER}", data=b"precious", check=True)
        self._play("restore", cluster, "refused", name="a mistake", archive=archive)
        if cluster.http("GET", f"/v1/kv/{NEWER}?raw").content != b"precious":
            raise DemoError("a refused restore was to touch nothing, and the newer key is gone")
        self._screen.text("Seen by HTTP: what was written after the archive is still there.")
        cluster.http("DELETE", f"/v1/kv/{NEWER}", check=True)

    def _archives(self, pattern: str) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(self._places.backups.glob(pattern))}

    def _disaster(self, cluster: Cluster) -> None:
        with self._steps.step("disaster", "The disaster: SIGKILL to all three, and their data deleted") as step:
            pids = ", ".join(str(server.pid) for server in cluster.servers)
            cluster.kill()
            self._save_logs(cluster)
            shutil.rmtree(cluster.directory)
            step.say(f"Pids {pids} are gone, and all data, configurations, keys, certificates and the CA with them.")

    def _restore(self, cluster: Cluster, archive: Path) -> None:
        self._play("restore", cluster, "changed", archive=archive)
        if not any("all equal" in text for text in self._steps.all[-1].said):
            raise DemoError("the restore did not say that its content is proven")
        self._play("restore", cluster, "unchanged", again=True, archive=archive)

    def _look(self, cluster: Cluster, name: str, title: str) -> tuple[Observation, dict[str, int]]:
        with self._steps.step(name, title) as step:
            self._screen.passing("reading every key, policy, service ...")
            seen, counted = observe(cluster), record_counts(cluster)
            types = [kind for kind, things in seen.items() if things]
            step.say(f"{sum(map(len, seen.values()))} things of {len(types)} types; {sum(counted.values())} records")
        return seen, counted

    def _judge(self, before: Observation, after: Observation, faults: list[str], *, old: Cluster, new: Cluster) -> bool:
        rows = compare(before, after)
        durable = [row for row in rows if row.durable]
        dead, come = ([server.name for server in cluster.servers] for cluster in (old, new))
        faults = [*verdict.faults(rows, {*dead, *come}), *faults]

        self._steps.heading("Before and after, by HTTP requests and the consul command")
        heading, *lines = table(durable).splitlines()
        self._screen.line(f"    {heading}", QUIET)
        for row, line in zip(durable, lines, strict=True):
            self._screen.line(f"    {line}", GOOD if row.equal else BAD)
        self._steps.heading("What belongs to agents: it comes and goes with them, and is not counted as lost")
        belongings = verdict.of_agents(before, after, dead=dead, new=come)
        width = max(len(one.what) for one in belongings)
        self._screen.line(f"    {'':<{width}}  before  after", QUIET)
        for one in belongings:
            self._screen.line(f"    {one.what:<{width}}  {one.before:>6}  {one.after:>5}")
            self._screen.line(f"      {one.why}", QUIET)
        self._steps.heading("Times")
        for line in self._steps.table():
            self._screen.line(f"    {line}")
        self._screen.line()
        for fault in faults:
            self._screen.text(f"WRONG: {fault}", BAD)
        if not faults:
            number = sum(row.after for row in durable)
            self._screen.text(f"Everything is back: {number} of {number} durable things, each of them the same.", GOOD)
        return not faults

    def _save_logs(self, cluster: Cluster) -> None:
        for server in cluster.servers:
            if server.log_file.exists():
                with suppress(OSError):
                    shutil.copyfile(server.log_file, self._places.logs / f"{server.name}.log")
