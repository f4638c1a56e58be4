# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real servers make of an archive: a PUT, a save, a second restore; one that dies is started anew.

Each judge has a server of its own, so that several work side by side. A verdict that was given to a server with a
history counts only once a fresh one has given it, too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import requests

from lab import Cluster, LabError, binaries

RESTORES, REFUSES, LIMPS, HANGS, DIES = "restores", "refuses", "limps", "hangs", "dies"
TIMEOUT = 25.0
DYING = 3.0
"""Seconds that a server takes to be gone after its connections broke off."""
AFTERWARDS = ("leader", "timed out", "barrier")
"""What stands in an error of a server that has restored the archive and can't go on; others say that it refuses."""
_AGED = 1 << 40
"""A raft index from which a server is started anew: it never goes back, and other cases are to find a young one."""
_OF_THIS = "failed to restore snapshot"
_CONFIG = {"log_level": "ERROR", "raft_logstore": {"backend": "boltdb"}, "limits": {"http_max_conns_per_client": 1000}}


@dataclass(frozen=True)
class Judgement:
    """``detail``: what the server said of it, or the last lines of its log."""

    verdict: str
    detail: str = ""


class Judge:
    """One server, used as a context manager."""

    def __init__(self, directory: Path, version: str = binaries.NEW) -> None:
        self._cluster = Cluster(directory, version=version, servers=1, acl=False, extra_config=_CONFIG)
        self._fresh = True
        self.lives = 1

    def judge(self, archive: bytes) -> Judgement:
        """Return what becomes of a server that is given this archive; what may come of one before it is asked twice."""
        was_fresh = self._fresh
        told = self._tried(archive)
        if told.verdict in (RESTORES, REFUSES) or was_fresh or (told.verdict == DIES and _OF_THIS in told.detail):
            return told
        return self._tried(archive)

    def _tried(self, archive: bytes) -> Judgement:
        self._fresh = False
        try:
            told = self._restored(archive)
        except requests.Timeout:
            told = Judgement(HANGS, self._log())
        except requests.RequestException:
            told = Judgement(DIES if self._dead() else LIMPS, self._log())
        if told.verdict in (RESTORES, REFUSES) and not self._cluster.servers[0].running:
            told = Judgement(DIES, self._log())
        if told.verdict not in (RESTORES, REFUSES) or self._index() > _AGED:
            self._begin_anew()
        return told

    def _restored(self, archive: bytes) -> Judgement:
        answer = self._put(archive)
        if answer.status_code != 200:
            told = answer.text.strip()
            return Judgement(LIMPS if any(word in told for word in AFTERWARDS) else REFUSES, told[:300])
        # A leader that can't take up its work says so here.
        saved = self._cluster.http("GET", "/v1/snapshot", timeout=TIMEOUT)
        if saved.status_code != 200:
            return Judgement(LIMPS, f"saved: {saved.text.strip()[:300]}")
        again = self._put(saved.content)
        if again.status_code != 200:
            return Judgement(LIMPS, f"restored again: {again.text.strip()[:300]}")
        leader = self._cluster.http("GET", "/v1/kv/none?consistent", timeout=TIMEOUT)
        return Judgement(RESTORES if leader.status_code == 404 else LIMPS, leader.text.strip()[:300])

    def _put(self, archive: bytes) -> requests.Response:
        return self._cluster.http("PUT", "/v1/snapshot", data=archive, timeout=TIMEOUT)

    def _index(self) -> int:
        try:
            answer = self._cluster.http("GET", "/v1/kv/none", timeout=TIMEOUT)
            return int(answer.headers.get("X-Consul-Index", 0))
        except (requests.RequestException, LabError):
            return _AGED + 1

    def _dead(self) -> bool:
        end = time.monotonic() + DYING
        while self._cluster.servers[0].running and time.monotonic() < end:
            time.sleep(0.05)
        return not self._cluster.servers[0].running

    def _log(self) -> str:
        lines = self._cluster.servers[0].log_tail(400).splitlines()
        told = [line for line in lines if "panic" in line or "[ERROR]" in line or "fatal" in line]
        return told[-1][-300:] if told else ""

    def _begin_anew(self) -> None:
        server = self._cluster.servers[0]
        server.kill()
        server.wipe()
        server.log_file.unlink(missing_ok=True)
        self.lives += 1
        self._fresh = True
        server.start()
        self._cluster.wait_ready()

    def __enter__(self) -> Judge:
        self._cluster.__enter__()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._cluster.stop()
