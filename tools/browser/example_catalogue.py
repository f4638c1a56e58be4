# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example fleet with its archives in two stores, and a service level: made up, as everything in ``example``."""

from __future__ import annotations

from typing import Any

from .example import DAY, ago, entry, fleet, listed, result

BUCKET = "s3://backups/consul"
SLO = {"copies": 20, "places": 2, "max_age": 26 * 3600, "max_rehearsal_age": 14 * DAY}


def archives(cluster: str, place: str, days: int, age: float = 3600, **changes: Any) -> list[dict[str, Any]]:
    """Return what snapshot_list says of an archive a day."""
    found = []
    for day in range(days):
        taken = age + day * DAY
        size = 1_843_201 + int(9000 * ((day * 37) % 11) - day * 12_000)
        name = ago(taken).replace("-", "").replace(":", "")
        told = result(cluster, age=taken, src=f"{place}/{cluster}/dc1-{name}-{3135 - day}.snap")
        own: dict[str, Any] = {"size": size, "sealed": False, "signed": False, "held": False, "locked_until": None}
        own["sha256"] = told["sha256"] if not day else f"{day:064x}"
        own["fingerprint"] = f"v2:{cluster}-{day}"
        found.append(listed(told, cluster, taken, **{**own, **changes}))
    return found


def pruned(told: list[dict[str, Any]], keep: int) -> dict[str, Any]:
    """Return what snapshot_prune says in check mode of a rule that keeps so many."""
    rows = []
    for number, one in enumerate(told):
        reasons = ["the newest verified"] if not number else []
        reasons += [f"daily {one['taken_at'][:10]}"] if number < keep else []
        reasons += ["held: audit of 2026 (until 2027-01-31T00:00:00Z)"] if number == keep + 2 else []
        row = {key: one[key] for key in ("path", "taken_at", "size")}
        rows.append({**row, "cluster": "x", "keep": bool(reasons), "reasons": reasons})
    return {"archives": rows, "removed": [one["path"] for one in rows if not one["keep"]]}


def look(store: str, told: list[dict[str, Any]], keep: int = 28, on: str = "", **others: Any) -> dict[str, Any]:
    """Return what was seen of a store."""
    seen = {"exists": True, "archives": told, "skipped": [], **others}
    return {"store": store, "on": on, "listed": seen, "pruned": pruned(told, keep)}


def catalogued() -> list[dict[str, Any]]:
    """Return what the hosts of ``example.fleet`` brought back, with a catalogue of two stores."""
    entries = []
    for number, one in enumerate(fleet()):
        name = one["cluster"]
        days = 31 if number % 3 else 28
        local = look(f"/srv/consul-archives/{name}", archives(name, "/srv/consul-archives", days), on="vault-1")
        sealed = archives(name, BUCKET, days, sealed=True, signed=True, locked_until=ago(-20 * DAY))
        bucket = look(f"{BUCKET}/{name}/", sealed, 60, other_clusters=["retired-dc"])
        looks, slo = [local, bucket], SLO if one["rehearsals"] and number < 15 else {}
        if name == "warehouse":
            # Nothing new came for four days.
            looks = [
                look(f"/srv/consul-archives/{name}", archives(name, "/srv/consul-archives", 19, 4 * DAY), on="vault-1"),
                {"store": f"{BUCKET}/{name}/", "listed": {"failed": True, "msg": "the bucket is not there"}},
            ]
            slo = SLO
        if one["missing"] or one["problem"]:
            looks, slo = [look(f"/srv/consul-archives/{name}", [], on="vault-1")] if one["missing"] else [], SLO
        entries.append({**one, "catalogue": looks, "slo": slo})
    return entries


def one_cluster(name: str, *looks: dict[str, Any], slo: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what the host of one cluster brought back that is proven."""
    return {**entry(name, result(name)), "catalogue": list(looks), "slo": slo or {}}
