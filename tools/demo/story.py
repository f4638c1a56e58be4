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
from .screen import BAD, GOOD, Screen
from .steps import Steps

KEYS = 1200
NAME = "demo"
OLD, NEW = "server", "rebuilt"
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
        with self._steps.step(f"Consul {binaries.NEW}") as step:
            step.say(str(binaries.consul()))
        old = self._three_servers(OLD, f"Three servers on loopback: {OLD}-1, {OLD}-2, {OLD}-3")
        with self._steps.step("Fill them with what real clusters hold") as step:
            self._screen.passing(f"{KEYS} keys and much else, through plain HTTP")
            step.say(", ".join(f"{number} {kind}" for kind, number in seed(old, keys=KEYS).counts().items()))
        with self._steps.step("ansible-galaxy collection build, install") as step:
            step.say(f"disaster_recovery.consul {self._ansible.install()}, in a directory of its own")
        with self._steps.step("Note all that is there, by plain HTTP and the consul command") as step:
            before, counted = self._look(old)
            step.say(f"{sum(map(len, before.values()))} things of {len(list(filter(None, before.values())))} types")
        identity = checks.identity(old)

        self._back_up(old)
        archive = self._pre_upgrade(old)
        self._disaster(old)

        new = self._three_servers(NEW, "Three new servers: other names, ids, certificates, gossip key", identity)
        self._restore(new, archive)
        with self._steps.step("Look at everything again") as step:
            after, recounted = self._look(new)
            step.say(f"{sum(map(len, after.values()))} things of {len(list(filter(None, after.values())))} types")
        return self._judge(before, after, [*verdict.record_faults(counted, recounted)], old=old, new=new)

    def close(self) -> None:
        """End the servers at once, and save their logs."""
        for cluster in self._clusters:
            with suppress(LabError, OSError):
                cluster.kill()
            self._save_logs(cluster)

    def _three_servers(self, name: str, title: str, other: set[str] | None = None) -> Cluster:
        cluster = Cluster(
            self._places.work / name,
            servers=3,
            tls=True,
            https_client_certs=True,
            http=False,
            gossip=True,
            tokens=self._tokens,
            name_prefix=name,
        )
        with self._steps.step(title) as step:
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

    def _play(self, playbook: str, cluster: Cluster, expected: str, *, again: str = "", **variables: str) -> None:
        path = self._inventory(cluster)
        options = "".join(f" -e {name}=..." for name in variables)
        command = f"ansible-playbook disaster_recovery.consul.{playbook} -i {path.name}{options}"
        with self._steps.step(again or command) as step:
            played = self._ansible.play(playbook, path, expected=expected, **variables)
            step.word = played.word
            for text in played.said:
                step.say(text)

    def _back_up(self, cluster: Cluster) -> None:
        self._play("backup", cluster, "changed")
        first = self._archives("*.snap")
        if len(first) != 1:
            raise DemoError(f"there are {len(first)} archives after the first backup, and it has to be one")
        self._play("backup", cluster, "unchanged", again="The same again")
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

    def _archives(self, pattern: str) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(self._places.backups.glob(pattern))}

    def _disaster(self, cluster: Cluster) -> None:
        with self._steps.step("The disaster: SIGKILL to all three, and their data deleted") as step:
            pids = ", ".join(str(server.pid) for server in cluster.servers)
            cluster.kill()
            self._save_logs(cluster)
            shutil.rmtree(cluster.directory)
            step.say(f"pids {pids} are gone; so are data, configurations, certificates and CA of {OLD}-1, -2, -3")

    def _restore(self, cluster: Cluster, archive: Path) -> None:
        variables = {"restore_src": str(archive)}
        self._play("restore", cluster, "changed", **variables)
        if not any("all equal" in text for text in self._steps.all[-1].said):
            raise DemoError("the restore did not say that its content is proven")
        self._play("restore", cluster, "unchanged", again="The same again", **variables)

    def _look(self, cluster: Cluster) -> tuple[Observation, dict[str, int]]:
        self._screen.passing("reading every key, policy, service ...")
        return observe(cluster), record_counts(cluster)

    def _judge(self, before: Observation, after: Observation, faults: list[str], *, old: Cluster, new: Cluster) -> bool:
        rows = compare(before, after)
        dead, come = ([server.name for server in cluster.servers] for cluster in (old, new))
        faults = [*verdict.faults(rows, {*dead, *come}), *faults]

        self._steps.heading("Before and after, by plain HTTP and the consul command")
        for line in table(rows).splitlines():
            verdict_ = line.rpartition("  ")[2]
            self._screen.line(f"    {line}", {"equal": GOOD, "LOST": BAD, "extra": BAD}.get(verdict_, ""))
        self._steps.heading("What a restore does not bring back, as expected")
        for difference in verdict.differences(before, after, dead=dead, new=come):
            self._screen.text(difference.as_text())
        self._steps.heading("Times")
        for line in self._steps.table():
            self._screen.line(f"    {line}")
        self._screen.line()
        for fault in faults:
            self._screen.text(f"WRONG: {fault}", BAD)
        if not faults:
            durable = sum(row.after for row in rows if row.durable)
            self._screen.text(f"Everything is back: {durable} of {durable} durable things, each the same.", GOOD)
        return not faults

    def _save_logs(self, cluster: Cluster) -> None:
        for server in cluster.servers:
            if server.log_file.exists():
                with suppress(OSError):
                    shutil.copyfile(server.log_file, self._places.logs / f"{server.name}.log")
