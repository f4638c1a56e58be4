# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every act is played with: servers, inventories, playbooks, looks from outside; each step shown and timed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lab import Cluster, LabError, Tokens, binaries, observe
from lab.oracle import Observation
from lab.seed import seed
from lab.statefile import write_private

from . import checks, verdict
from .ansible import Ansible, Played
from .inventory import inventory
from .places import Places
from .screen import Screen
from .steps import Steps
from .store import Bucket

# The restore role's task for what no playbook can do: worth reading, but too long for here.
ADVICE = "Say what is left to do"
KIT = {"ROLLBACK.md", "versions.json"}


class Stage:
    """One run's; ``close`` ends and removes all that was started, however far the acts came."""

    def __init__(self, places: Places, screen: Screen) -> None:
        self.places = places
        self.screen = screen
        self.steps = Steps(screen)
        self.tokens = Tokens()
        self._clusters: list[Cluster] = []
        self._buckets: list[Bucket] = []
        self._ansible = Ansible(places, screen, [self.tokens.initial_management, self.tokens.agent])

    def close(self) -> None:
        """End the servers at once, and save their logs."""
        for bucket in self._buckets:
            with suppress(OSError):
                bucket.close()
        for cluster in self._clusters:
            with suppress(LabError, OSError):
                cluster.kill()
            self._save_logs(cluster)

    def consul(self, version: str, name: str) -> Path:
        """Have a Consul at hand."""
        with self.steps.step(name, f"Consul {version}") as step:
            path = binaries.consul(version)
            step.say(str(path))
        return path

    def bucket(self, name: str) -> Bucket:
        """Start an S3 server with a bucket of this name."""
        with self.steps.step("store", "A real S3 server on loopback, and keys of age and ssh-keygen") as step:
            binaries.program("age")
            bucket = Bucket(self.places.work / "store", self.places.logs / "store.log", name)
            self._buckets.append(bucket)
            self._ansible.conceal(bucket.secret)
            step.say(f"versitygw at {bucket.endpoint}, with the bucket {name}")
        return bucket

    def install(self) -> None:
        """Install the collection as users do."""
        with self.steps.step("install", "ansible-galaxy collection build, then install") as step:
            step.say(f"disaster_recovery.consul {self._ansible.install()}, in a directory of its own")

    def three_servers(
        self,
        prefix: str,
        step_name: str,
        title: str,
        *,
        cluster_name: str,
        version: str = binaries.NEW,
        other: set[str] | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> Cluster:
        """Start a cluster, look whether it is closed to strangers, and write its inventory.

        :param other: the identity (see ``checks``) of servers that these must not be.
        :param variables: what else stands in the inventory.
        """
        cluster = Cluster(
            self.places.work / prefix,
            servers=3,
            version=version,
            tls=True,
            https_client_certs=True,
            http=False,
            gossip=True,
            tokens=self.tokens,
            name_prefix=prefix,
        )
        with self.steps.step(step_name, title) as step:
            self._clusters.append(cluster)
            self.screen.passing("making certificates, starting, waiting until all are healthy voters")
            cluster.start()
            cluster.wait_ready()
            leader = cluster.leader()
            step.say(f"{leader.name if leader else 'nobody'} leads. {checks.closed_to_strangers(cluster)}")
            if other and (same := other & checks.identity(cluster)):
                raise LabError(f"the new servers are not new: {verdict.listed(sorted(same))}")
        self.describe(cluster, cluster_name, variables or {})
        return cluster

    def fill(self, cluster: Cluster, keys: int, name: str) -> None:
        """Store what real clusters hold."""
        with self.steps.step(name, "Fill them with what real clusters hold") as step:
            self.screen.passing(f"{keys} keys and much else, by HTTP requests")
            step.say(", ".join(f"{number} {kind}" for kind, number in seed(cluster, keys=keys).counts().items()))

    def look(self, cluster: Cluster, name: str, title: str) -> Observation:
        """See all that is there, by HTTP requests and the consul command."""
        with self.steps.step(name, title) as step:
            self.screen.passing("reading every key, policy, service ...")
            seen = observe(cluster)
            types = [kind for kind, things in seen.items() if things]
            step.say(f"{sum(map(len, seen.values()))} things of {len(types)} types")
        return seen

    def play(
        self,
        playbook: str,
        cluster: Cluster,
        expected: str,
        *,
        again: bool = False,
        name: str | None = None,
        **variables: str,
    ) -> Played:
        """Run one of the collection's playbooks; how it ends has to be what is ``expected``."""
        path = self._inventory(cluster)
        options = "".join(f" -e {name}={value}" for name, value in variables.items())
        command = f"ansible-playbook disaster_recovery.consul.{playbook} -i {path}{options}"
        title = "The same command again" if again else command
        with self.steps.step(name or (f"{playbook} again" if again else playbook), title) as step:
            played = self._ansible.play(playbook, path, expected=expected, **variables)
            step.word = played.word
            for message in played.said:
                if message.task == ADVICE:
                    step.say(f"The manual steps that are left, {len(message.lines)} points: {played.log}")
                else:
                    for line in message.lines:
                        step.say(line)
        return played

    def restore(self, cluster: Cluster, archive: Path | str, *, name: str | None = None) -> None:
        """Restore, and insist on a proof."""
        played = self.play("restore", cluster, "changed", name=name, restore_src=str(archive))
        if not any("all equal" in line for message in played.said for line in message.lines):
            raise LabError("the restore did not say that its content is proven")

    def archives(self, cluster_name: str, pattern: str = "*.snap") -> dict[Path, bytes]:
        """Return what was kept of a cluster, by path."""
        return {path: path.read_bytes() for path in sorted((self.places.backups / cluster_name).glob(pattern))}

    def kit_of(self, cluster: Cluster, cluster_name: str) -> Path:
        """Return the archive of the one rollback kit there has to be; the consul command must be able to read it."""
        found = list(self.archives(cluster_name, "rollback-*/*.snap"))
        if len(found) != 1:
            raise LabError(f"there are {len(found)} archives in rollback kits, and it has to be one")
        archive = found[0]
        present = {path.name for path in archive.parent.iterdir()}
        if missing := (KIT | {f"{archive.name}.manifest.json"}) - present:
            raise LabError(f"the rollback kit lacks {', '.join(sorted(missing))}")
        cluster.cli("snapshot", "inspect", archive)
        return archive

    def disaster(self, cluster: Cluster, name: str, title: str, *, archives_of: str = "") -> None:
        """Kill all servers and delete all that they had, and a cluster's archives where they lay with them."""
        with self.steps.step(name, title) as step:
            pids = ", ".join(str(server.pid) for server in cluster.servers)
            cluster.kill()
            self._save_logs(cluster)
            shutil.rmtree(cluster.directory)
            step.say(f"Pids {pids} are gone, and all data, configurations, keys, certificates and the CA with them.")
            if archives_of:
                shutil.rmtree(self.places.backups / archives_of)
                step.say(f"So is {self.places.backups / archives_of}.")

    def describe(self, cluster: Cluster, cluster_name: str, variables: Mapping[str, object]) -> None:
        """Write the inventory of a cluster, in the place of the one there is.

        :param variables: what else stands in it.
        """
        if cluster.client_tls is None:
            raise LabError("the cluster has no certificates")
        secrets, tls = self.places.secrets, cluster.client_tls
        files = {"token_file": secrets / "token"}
        write_private(files["token_file"], self.tokens.initial_management + "\n")
        sources = {"ca_path": tls.ca_file, "client_cert": tls.pair.cert, "client_key": tls.pair.key}
        for option, source in sources.items():
            files[option] = secrets / f"{cluster.name_prefix}-{option}.pem"
            write_private(files[option], source.read_text(encoding="utf-8"))
        ports = {server.name: server.ports.https for server in cluster.servers}
        backups = self.places.backups / cluster_name
        text = inventory(
            ports, files, cluster=cluster_name, backups=backups, python=sys.executable, variables=variables
        )
        write_private(self._inventory(cluster), text)

    def _inventory(self, cluster: Cluster) -> Path:
        return self.places.work / f"{cluster.name_prefix}.yml"

    def _save_logs(self, cluster: Cluster) -> None:
        for server in cluster.servers:
            if server.log_file.exists():
                with suppress(OSError):
                    shutil.copyfile(server.log_file, self.places.logs / f"{server.name}.log")
