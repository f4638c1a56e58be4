# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet: many clusters, some of them real servers, the rest archives of theirs, some broken, each in its own way.

What the playbooks must say of it is known beforehand, cluster by cluster; everything else is looked at with the consul
command and plain HTTP.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from lab import Cluster, binaries
from lab.ports import free_port
from support.archives import STATE, cut_inside
from support.copies import MANIFEST, copy_for, put_copy
from support.playbooks import Ansible, Played, connection

AT_ONCE = 4
"""Processes of Ansible, and throwaway servers, at a time: each waits about as long as it works, and there are two
processors."""
STARTED_AT_ONCE = 5
TIMEOUT = 1800.0
DAY = 86400
CANARY = "a-value-that-no-report-may-show-2718"

REAL, ARCHIVE = "real", "archive"
CUT, OLD, FOREIGN, UNREACHABLE, SEALED = "cut", "too-old", "wrong-version", "unreachable", "sealed"
FAULTS = (CUT, OLD, FOREIGN, UNREACHABLE, SEALED)

# What must be said of each kind: does a backup fail (None: it is no cluster that could be asked), and how does a
# rehearsal end. A cluster whose token has died still has the archive of the day before.
BACKUP_FAILS = {REAL: False, UNREACHABLE: True, SEALED: True}
STATES = {
    REAL: "passed",
    ARCHIVE: "passed",
    CUT: "failed",
    OLD: "missed",
    FOREIGN: "failed",
    UNREACHABLE: "failed",
    SEALED: "passed",
}
# And in which words.
WORDS = {
    CUT: "does not verify",
    OLD: "the archive is 3 d old, and 1 d are allowed",
    FOREIGN: "they would kill it",
    UNREACHABLE: "does not exist",
}


class Member(NamedTuple):
    """One cluster of a fleet; ``number`` says which of the real servers it is, or has to do with."""

    name: str
    kind: str
    number: int


class Figures(NamedTuple):
    """One run of a playbook: how many hosts, how long, and the most memory that ansible-playbook itself took."""

    hosts: int
    seconds: float
    peak_mib: float


def members_of(size: int) -> list[Member]:
    """A fifth are real servers, one or two of each kind are broken, the rest are archives.

    The broken ones come first: whoever does something for all of them must not be the first host.
    """
    broken = [kind for kind in FAULTS for _again in range(max(1, size // 50))]
    servers = max(3, size // 5)
    kinds = broken + [REAL] * servers + [ARCHIVE] * (size - servers - len(broken))
    return [Member(f"{number:03}-{kind}", kind, number % servers) for number, kind in enumerate(kinds)]


class Fleet:
    """Real servers and directories of archives; a context manager that ends its servers."""

    def __init__(self, directory: Path, size: int) -> None:
        self.directory = directory
        self.members = members_of(size)
        self.servers = [
            Cluster(directory / f"server-{number:02}", servers=1, name_prefix=f"fleet-{number:02}")
            for number in range(sum(member.kind == REAL for member in self.members))
        ]

    def __enter__(self) -> Fleet:
        try:
            # They die with the thread that starts them, so it is this one; a few of them become ready side by side.
            for first in range(0, len(self.servers), STARTED_AT_ONCE):
                some = self.servers[first : first + STARTED_AT_ONCE]
                for server in some:
                    server.start()
                for number, server in enumerate(some, first):
                    server.wait_ready()
                    for key in range(10 + number):
                        server.http("PUT", f"/v1/kv/fleet/{number}/{key}", data=CANARY, check=True)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for server in self.servers:
            server.stop()

    def part(self, size: int) -> Part:
        """A fleet of this size, of some of these servers."""
        return Part(self, members_of(size), self.directory / f"of-{size}")


class Part:
    """Some of a fleet's clusters, in directories of their own: backed up, then broken, then rehearsed."""

    def __init__(self, fleet: Fleet, members: list[Member], directory: Path) -> None:
        directory.mkdir(mode=0o700)
        self.fleet = fleet
        self.members = members
        self.archives = directory / "archives"
        self.reports = directory / "reports"
        self.work = directory / "work"
        self.archives.mkdir(mode=0o700)
        self.work.mkdir(mode=0o700)
        tokens = [server.tokens.initial_management for server in fleet.servers]
        self.ansible = Ansible(directory, [CANARY, *tokens], timeout=TIMEOUT)

    def back_up(self) -> Figures:
        """Back up all that are clusters, and see that just what can be saved was."""
        clusters = [member for member in self.members if member.kind in BACKUP_FAILS]
        inventory = self.ansible.inventory(
            {member.name: {"backup_connection": self._connection(member)} for member in clusters},
            name="clusters",
            backup_dir=f"{self.archives}/{{{{ backup_cluster }}}}",
        )
        played, figures = self._play("backup", inventory, len(clusters))
        broken = {member.name for member in clusters if BACKUP_FAILS[member.kind]}
        assert failed_hosts(played) == broken, played.output[-3000:]
        for member in clusters:
            found = sorted(path.name for path in (self.archives / member.name).glob("*"))
            assert len(found) == (0 if member.name in broken else 2), (member, found)
            if member.kind == REAL:
                server = self.fleet.servers[member.number]
                assert self._records(self._archive_of(member))["KVS"] == len(server.get("/v1/kv/?keys"))
        return figures

    def fill(self) -> None:
        """Give the clusters that are no servers of ours archives of these, and break what has to be broken."""
        sources = {member.number: self._archive_of(member) for member in self.members if member.kind == REAL}
        for member in self.members:
            if member.kind not in (REAL, UNREACHABLE):
                self._put(member, sources[member.number])

    def rehearse(self) -> Figures:
        """Rehearse all of them, and see that just the broken ones are named, in the report and by Ansible."""
        old = str(binaries.consul(binaries.OLD))
        inventory = self.ansible.inventory(
            {one.name: {"rehearsal_consul_binary": old} if one.kind == FOREIGN else {} for one in self.members},
            name="all",
            rehearsal_dir=f"{self.archives}/{{{{ rehearsal_cluster }}}}",
            rehearsal_report_dir=str(self.reports),
            rehearsal_work_dir=str(self.work),
            rehearsal_consul_binary=str(binaries.consul()),
            rehearsal_max_age=DAY,
            rehearsal_throttle=AT_ONCE,
        )
        played, figures = self._play("rehearse", inventory, len(self.members))
        wanted = {member.name: STATES[member.kind] for member in self.members}
        broken = {name for name, state in wanted.items() if state != "passed"}
        self._check_report(wanted)
        assert failed_hosts(played) == broken, played.output[-3000:]
        assert list(self.work.iterdir()) == []
        return figures

    def _check_report(self, wanted: dict[str, str]) -> None:
        report = json.loads((self.reports / "report.json").read_text(encoding="utf-8"))
        clusters = {one["cluster"]: one for one in report["clusters"]}
        assert {name: one["state"] for name, one in clusters.items()} == wanted, [
            (one["cluster"], one["sentence"]) for one in report["clusters"] if wanted[one["cluster"]] != one["state"]
        ]
        assert not report["passed"]
        counted = Counter(wanted.values())
        states = {state: counted[state] for state in ("passed", "missed", "failed", "unknown")}
        archives = sum(member.kind != UNREACHABLE for member in self.members)
        back = states["passed"] + states["missed"]
        expected = {"clusters": len(self.members), "archives": archives, "would_come_back": back, **states}
        assert report["counts"] == expected
        page = (self.reports / "report.html").read_text(encoding="utf-8")
        inspected: dict[Path, dict[str, int]] = {}
        for member in self.members:
            told = clusters[member.name]
            assert WORDS.get(member.kind, "") in told["sentence"], told["sentence"]
            assert member.name in page
            if wanted[member.name] == "passed":
                (rehearsal,) = told["rehearsals"]
                # Copies are not inspected again.
                source = self._archive_of(self._source_of(member))
                inspected[source] = inspected.get(source) or self._records(source)
                assert rehearsal["records"] == inspected[source]
                assert rehearsal["size"] == self._archive_of(member).stat().st_size
        assert CANARY not in page + json.dumps(report)

    def _play(self, playbook: str, inventory: Path, hosts: int) -> tuple[Played, Figures]:
        began = time.monotonic()
        with PeakMemory("ansible-playbook") as memory:
            played = self.ansible.fails(playbook, inventory, options=["--forks", str(AT_ONCE)])
        assert len(played.recap) == hosts, played.output[-3000:]
        return played, Figures(hosts, time.monotonic() - began, memory.peak_kib / 1024)

    def _connection(self, member: Member) -> dict[str, Any]:
        if member.kind == UNREACHABLE:
            return {"host": "127.0.0.1", "port": free_port(), "retries": 0}
        cluster = self.fleet.servers[member.number]
        token = "00000000-dead-dead-dead-000000000000" if member.kind == SEALED else cluster.tokens.initial_management
        return connection(cluster.servers[0], token)

    def _put(self, member: Member, source: Path) -> None:
        directory = self.archives / member.name
        directory.mkdir(mode=0o700, exist_ok=True)
        target = directory / source.name
        # A cluster has servers of its own.
        data, manifest = source.read_bytes(), Path(f"{source}{MANIFEST}").read_text(encoding="utf-8")
        if member.kind == OLD:
            # An archive's age is what it says itself; such a one has no manifest, as if Consul's own command took it.
            long_ago = f"2-100-{int((time.time() - 3 * DAY) * 1000)}"
            put_copy(copy_for(data, member.name, ID=long_ago), None, target, name=None)
            return
        data = copy_for(data, member.name)
        written = cut_inside(data, STATE) if member.kind == CUT else data
        put_copy(data, manifest, target, name=member.name, data=written)

    def _source_of(self, member: Member) -> Member:
        return next(one for one in self.members if one.kind == REAL and one.number == member.number)

    def _archive_of(self, member: Member) -> Path:
        (archive,) = (self.archives / member.name).glob("*.snap")
        return archive

    def _records(self, archive: Path) -> dict[str, int]:
        told = json.loads(self.fleet.servers[0].cli("snapshot", "inspect", "-format=json", archive))
        return {one["Name"]: one["Count"] for one in told["Stats"]}


def failed_hosts(played: Played) -> set[str]:
    """The hosts that Ansible's table names as failed."""
    return {host for host, counts in played.recap.items() if counts["failed"] or counts["unreachable"]}


class PeakMemory:
    """Watches how much memory the children of this process with a name take, each for itself; a context manager."""

    def __init__(self, name: str) -> None:
        self.peak_kib = 0
        self._name = name.encode()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self.peak_kib = max([self.peak_kib, *self._seen()])

    def _seen(self) -> Iterator[int]:
        for listed in Path("/proc/self/task").glob("*/children"):
            try:
                for pid in listed.read_text(encoding="ascii").split():
                    process = Path("/proc") / pid
                    if self._name in (process / "cmdline").read_bytes():
                        rows = (process / "status").read_text(encoding="ascii", errors="replace").splitlines()
                        yield from (int(row.split()[1]) for row in rows if row.startswith("VmHWM:"))
            except OSError:
                continue
