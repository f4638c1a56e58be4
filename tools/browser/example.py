# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet that was rehearsed, made up: for what is decided and drawn, not for what is done.

Runs on Python 3.9, too, because the unit tests import it there.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

NOW = "2026-11-23T02:41:07Z"
NAMES = "/srv/consul-archives"
DAY = 86400.0
MAX_RTO, MAX_AGE = 30.0, 26 * 3600

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def ago(seconds: float) -> str:
    """Return the time that many seconds before NOW."""
    now = datetime.strptime(NOW, _FORMAT).replace(tzinfo=timezone.utc)
    return (now - timedelta(seconds=seconds)).strftime(_FORMAT)


def result(
    cluster: str = "production", *, age: float = 3600, scale: float = 1.0, keys: int = 12430, **changes: Any
) -> dict[str, Any]:
    """Return the result for an archive that is proven, with some of it changed."""
    rto = {"start": 0.61, "restore": 0.34, "ready": 0.92, "proof": 0.28}
    rto = {name: round(value * scale, 2) for name, value in rto.items()}
    told = {
        "src": f"{NAMES}/{cluster}/dc1-20261123T014107Z-3135.snap",
        "sha256": "3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f",
        "size": 1_843_201,
        "taken_at": ago(age),
        "age": age,
        "datacenter": "dc1",
        "cluster_id": "f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11",
        "archive_version": "1.22.7",
        "server_version": "1.22.7",
        "records": {
            "ACLPolicy": {"count": 14, "size": 4120},
            "ACLToken": {"count": 61, "size": 21_560},
            "KVS": {"count": keys, "size": keys * 610},
            "Register": {"count": 96, "size": 88_100},
        },
        "fingerprint": "v2:6a1b3c9f0de27485a7b1c3d5e7f90214",
        "verdict": "proven",
        "rto": {**rto, "total": round(sum(rto.values()), 2)},
        "memory_bytes": 121_634_816,
        "isolation": "network_namespace",
        "proof": {"equal": True, "differs": [], "types": {}},
        "changes": {},
        "findings": [],
        "assertions": [],
        "targets": [],
        "passed": True,
        "kept_dir": None,
    }
    return {**told, **changes}


def failed(verdict: str, msg: str, hint: str = "", cluster: str = "production", **changes: Any) -> dict[str, Any]:
    """Return the result for an archive that is not proven."""
    nothing: dict[str, Any] = {"rto": None, "memory_bytes": None, "proof": None, "fingerprint": None, "passed": False}
    told = result(
        cluster, verdict=verdict, msg=msg, failure={"kind": "rehearsal", "hint": hint}, failed=True, **nothing
    )
    return {**told, **changes}


def entry(
    cluster: str,
    *results: dict[str, Any],
    problem: str | None = None,
    missing: str | None = None,
    confirmed: float | None = None,
    max_rto: float | None = MAX_RTO,
    max_age: float | None = MAX_AGE,
) -> dict[str, Any]:
    """Return what a host brought back."""
    told = {
        "cluster": cluster,
        "host": f"{cluster}-1",
        "rehearsals": [{"archive": one["src"], "result": one} for one in results],
        "archives": [listed(one, cluster, confirmed) for one in results],
    }
    return {**told, "problem": problem, "missing": missing, "max_rto": max_rto, "max_age": max_age}


def listed(one: dict[str, Any], cluster: str, confirmed: float | None = None, **changes: Any) -> dict[str, Any]:
    """Return what snapshot_list says of an archive that was saved for a cluster of this name."""
    told = {
        "path": one["src"],
        "manifest_status": "matches",
        "cluster": {"name": cluster, "servers": [f"server-of-{cluster}"]},
        "taken_at": one.get("taken_at"),
        "confirmed_at": None if confirmed is None else ago(confirmed),
        "confirmed_by_leader": True,
        "dated_ahead": False,
        "sha256": one.get("sha256"),
        "fingerprint": one.get("fingerprint"),
    }
    return {**told, **changes}


UPGRADED = {
    "ACLPolicy": {"added": 1, "changed": 1, "removed": 0, "equal": True, "names": {}},
    "ConfigEntry": {"added": 3, "changed": 0, "removed": 0, "equal": True, "names": {}},
    "Intention": {"added": 0, "changed": 0, "removed": 3, "equal": True, "names": {}},
}


def fleet() -> list[dict[str, Any]]:
    """Return what the hosts of a fleet brought back in which everything happens that can happen."""
    names = ["production-eu", "production-us", "production-ap", "payments-eu", "payments-us", "edge-fra", "edge-iad"]
    names += ["staging", "ci", "observability", "data-platform", "sandbox"]
    entries = [
        entry(
            name, result(name, age=2000 + 4100 * (number % 5), scale=0.8 + number * 0.31, keys=900 * (number + 1) ** 2)
        )
        for number, name in enumerate(names)
    ]
    unexpected = {"name": "unchanged for weeks", "passed": True, "detail": "1,204 keys below app/"}
    entries[0]["rehearsals"][0]["result"]["assertions"] = [unexpected]
    gone = {"name": "billing rates", "passed": False, "detail": "0 keys below billing/rates, at least 40 required"}
    entries += [
        entry("billing", result("billing", age=5200, assertions=[gone, unexpected])),
        entry("warehouse", result("warehouse", age=4 * DAY, scale=2.2)),
        entry("upgraded-next", result("upgraded-next", age=900, archive_version="1.8.7", changes=UPGRADED)),
        entry("archive-of-2019", result("archive-of-2019", age=3100, scale=19.5, keys=812_400, size=341_200_400)),
        entry(
            "legacy-dc2",
            failed(
                "died",
                "Consul 1.22.7 died while it restored this archive",
                "Keep Consul 1.8.7 at hand for this archive, and give the tokens an accessor before the upgrade.",
                "legacy-dc2",
                archive_version="1.8.7",
                age=7300,
                findings=[
                    {
                        "name": "server_died",
                        "severity": "critical",
                        "sentence": "The server ended by itself while it restored the archive.",
                        "count": 1,
                        "names": [],
                        "crash_log": ["panic: failed to restore: missing value for index 'accessor'", "exit status 2"],
                    }
                ],
            ),
        ),
        entry(
            "iot-gateway",
            failed(
                "refused",
                "the archive is cut short: it ends inside state.bin",
                "Take a new archive of this cluster; the older ones in the same directory are untouched.",
                "iot-gateway",
                taken_at=None,
                age=None,
                datacenter=None,
                records=None,
                archive_version=None,
            ),
        ),
        entry("lab", missing="no archive of lab is in /srv/consul-archives/lab on localhost"),
        entry("branch-office", problem="the archives are on vault-2, which can't be reached: connection timed out"),
    ]
    return entries


def earlier(report: dict[str, Any], runs: int = 13) -> list[dict[str, Any]]:
    """Return reports of the days before, in which things got worse and better."""
    states = ["failed", "unknown", "missed", "passed"]
    found = []
    for number in range(runs, 0, -1):
        clusters = []
        for place, one in enumerate(report["clusters"]):
            turn = (place * 7 + number * 5) % 23
            state = one["state"] if turn < 9 or number < 3 else "missed" if turn == 11 else "passed"
            clusters.append({**one, "state": state, "rehearsals": [], "history": [], "head": None})
        counts = {state: sum(one["state"] == state for one in clusters) for state in states}
        found.append(
            {
                **report,
                "generated_at": ago(number * DAY),
                "passed": counts["passed"] == len(clusters),
                "counts": {"clusters": len(clusters), "archives": len(clusters), **counts},
                "clusters": clusters,
                "history": [],
            }
        )
    return found
