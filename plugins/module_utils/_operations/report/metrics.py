# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in Prometheus' text format, for a textfile collector: made, and merged into a file's text (pure).

One file serves backups and rehearsals, of all clusters or of some: what a run says nothing about stays. The label
``cluster`` alone identifies a series: a cluster has one datacenter, the one that was learned last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._errors import printable
from ..._storage.chronology import is_ahead
from ..._times import from_text
from ..rehearse.verdict import PHASES
from .history import STATES
from .input import counts_of

PREFIX = "consul_snapshot_"
EXPECTED = f"{PREFIX}expected_timestamp_seconds"
LAST_ATTEMPT = f"{PREFIX}last_attempt_timestamp_seconds"
LAST_ATTEMPT_SUCCESS = f"{PREFIX}last_attempt_success"
COPY = f"{PREFIX}copy_made"
LAST_FAILURE = f"{PREFIX}last_failure_timestamp_seconds"
LAST_SUCCESS = f"{PREFIX}last_success_timestamp_seconds"
LAST_REHEARSAL = f"{PREFIX}last_rehearsal_timestamp_seconds"
LAST_REHEARSAL_SUCCESS = f"{PREFIX}last_rehearsal_success"
LAST_REHEARSAL_STATE = f"{PREFIX}last_rehearsal_state"
RTO = f"{PREFIX}rto_seconds"
SLO_MET = f"{PREFIX}slo_met"
STORE_READ = f"{PREFIX}store_read"
ARCHIVES = f"{PREFIX}archives"
SIZE = f"{PREFIX}archive_size_bytes"
RECORDS = f"{PREFIX}records"

HELP = {
    EXPECTED: "When a run last found the cluster in its inventory, whatever came of it.",
    LAST_ATTEMPT: "When a backup of the cluster was last attempted, successful or not.",
    LAST_ATTEMPT_SUCCESS: "Whether that attempt kept or confirmed an archive that a leader confirmed, in all stores "
    "(1) or not (0).",
    COPY: "Whether a further store has its copy of the newest archive (1) or not (0), by store.",
    LAST_FAILURE: "When a backup of the cluster last failed, by kind of failure.",
    LAST_SUCCESS: "When the content of the newest verified archive was last known to be the cluster's.",
    LAST_REHEARSAL: "When an archive of the cluster was last rehearsed, successful or not.",
    LAST_REHEARSAL_SUCCESS: "Whether the last rehearsal proved the archive and met every target (1) or not (0).",
    LAST_REHEARSAL_STATE: "What the last report says of the cluster: 1 for its state, 0 for the others.",
    RTO: "How long the last rehearsal took, by phase; absent unless it proved the archive.",
    SLO_MET: "Whether the cluster meets its service level (1) or not (0), by requirement.",
    STORE_READ: "Whether the last report could read the archives of the cluster in a store (1) or not (0), by store.",
    ARCHIVES: "Verified archives of the cluster, by store; absent where the store could not be read.",
    SIZE: "Size of the newest verified archive.",
    RECORDS: "Records in the newest verified archive, by type.",
}
_TIMESTAMPS = (EXPECTED, LAST_ATTEMPT, LAST_FAILURE, LAST_SUCCESS, LAST_REHEARSAL)
_NEWEST = ("newest", "all")
"""Picks that look at the newest archive; others say nothing about the state of the backups."""
_LABEL_LIMIT = 200

_LINE = re.compile(r"([a-z_]+)\{(.*)\} (\S+)")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')
_ESCAPES = {"\\": "\\\\", "\n": "\\n", '"': '\\"'}
_ESCAPED = re.compile(r'[\\\n"]')
_UNESCAPED = re.compile(r"\\(.)")


class Sample(NamedTuple):
    """One line: ``more`` holds labels beyond datacenter and cluster. Value None: there is no such line any more."""

    name: str
    datacenter: str
    cluster: str
    more: tuple[tuple[str, str], ...]
    value: float | None


def of_report(report: Mapping[str, Any]) -> list[Sample]:
    """Return what a report of rehearsals says."""
    at = from_text(report["generated_at"])
    expected = [Sample(EXPECTED, "", str(cluster["cluster"]), (), at) for cluster in report["clusters"]]
    return expected + [sample for cluster in report["clusters"] for sample in _of_cluster(cluster, at)]


def of_backups(
    backups: Iterable[Mapping[str, Any]],
    attempted: Iterable[str],
    now: float,
    *,
    failures: Mapping[str, Any] | None = None,
    expected: Iterable[str] = (),
) -> list[Sample]:
    """Return what one run says about backups.

    :param backups: those that kept or confirmed an archive, each with ``cluster``, ``datacenter``,
        ``confirmed_by_leader``, ``changed`` (the archive is new), ``taken_at``, ``confirmed_at``, ``size``,
        ``records`` (``{type: {count, size}}``) and ``copies`` (``{store: whether it has its copy}``).
    :param attempted: the clusters of which one was attempted; of those without an entry it failed.
    :param failures: the kind of failure of each cluster of which something failed.
    :param expected: the clusters of the inventory.
    :raises ValueError: an entry is not of this shape.
    """
    done = {str(backup["cluster"]): backup for backup in backups}
    samples = [Sample(EXPECTED, "", name, (), now) for name in sorted(set(expected))]
    samples += [
        Sample(LAST_FAILURE, "", name, (("kind", _label(kind) or "unknown"),), now)
        for name, kind in sorted((failures or {}).items())
    ]
    for name in sorted({*done, *attempted}):
        backup = done.get(name)
        datacenter = _label(backup.get("datacenter")) if backup else ""
        # What no leader confirmed may lag behind the cluster, by how much nobody knows.
        counts = backup is not None and backup.get("confirmed_by_leader") is not False
        samples.append(Sample(LAST_ATTEMPT, datacenter, name, (), now))
        copies = (backup.get("copies") or {}) if backup else {}
        samples.append(Sample(LAST_ATTEMPT_SUCCESS, datacenter, name, (), float(counts and all(copies.values()))))
        if backup is not None:
            samples += _of_copies(copies, datacenter, name)
        if backup is not None and counts:
            _require_counts(backup)
            samples += _of_archive(backup, _known_at(backup, now), datacenter, name)
    return samples


def merge(existing: str, samples: Iterable[Sample], now: float) -> str:
    """Return the text of a file with these samples in the place of what it said of the same clusters.

    :raises ValueError: a line of the file is not one of ours.
    """
    fresh = list(samples)
    told = {(one.name, one.cluster) for one in fresh}
    kept = [one for one in parse(existing) if one.name not in _TIMESTAMPS or not is_ahead(one.value or 0.0, now)]
    places = _datacenters(kept, fresh)
    # Of one series that stood in the file with several datacenters, the one that was renewed last stays.
    every: dict[tuple[Any, ...], Sample] = {}
    renewed = _renewed(kept)
    for one in sorted(kept, key=lambda one: renewed[one.cluster, one.datacenter]):
        if (one.name, one.cluster) not in told:
            every[one.name, one.cluster, one.more] = one
    every.update({(one.name, one.cluster, one.more): one for one in fresh if one.value is not None})
    lines = []
    for name, words in HELP.items():
        family = sorted(one._replace(datacenter=places[one.cluster]) for one in every.values() if one.name == name)
        lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"] if family else []
        lines += [_line(one, now) for one in family]
    return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> list[Sample]:
    """Return the samples of a text that ``merge`` wrote.

    :raises ValueError: a line is not one of ours.
    """
    samples = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        value = _number(match.group(3)) if match else None
        if not match or value is None or match.group(1) not in HELP:
            raise ValueError(f"line {number} was not written by this collection; give it a file of its own")
        labels = {name: _unescaped(value) for name, value in _LABEL.findall(match.group(2))}
        places = [labels.pop(name, "") for name in ("datacenter", "cluster")]
        samples.append(Sample(match.group(1), places[0], places[1], tuple(labels.items()), value))
    return samples


def _of_cluster(cluster: Mapping[str, Any], at: float) -> list[Sample]:
    name, datacenter = str(cluster["cluster"]), _label(cluster["datacenter"])
    values: list[tuple[str, tuple[tuple[str, str], ...], float | None]] = [
        (RTO, (), None),
        (LAST_REHEARSAL_SUCCESS, (), float(cluster["state"] == "passed")),
        *((LAST_REHEARSAL_STATE, (("state", state),), float(cluster["state"] == state)) for state in STATES),
    ]
    head = cluster["rehearsals"][cluster["head"]] if cluster["head"] is not None else None
    if head:
        values.append((LAST_REHEARSAL, (), at))
    proven = head if head and head["verdict"] == "proven" else None
    if proven:
        phases = {phase: (proven["rto"] or {}).get(phase) for phase in PHASES}
        values += [(RTO, (("phase", one),), phases[one]) for one in PHASES if phases[one] is not None]
    values += _of_catalogue(cluster)
    samples = [Sample(metric, datacenter, name, more, value) for metric, more, value in values]
    if proven and cluster["age"] is not None and cluster.get("pick", _NEWEST[0]) in _NEWEST:
        samples += _of_archive(proven, at - cluster["age"], datacenter, name)
    return samples


def _of_catalogue(cluster: Mapping[str, Any]) -> list[tuple[str, tuple[tuple[str, str], ...], float | None]]:
    """What is said of stores and requirements that are no longer named goes."""
    values: list[tuple[str, tuple[tuple[str, str], ...], float | None]] = [
        (name, (), None) for name in (SLO_MET, STORE_READ, ARCHIVES)
    ]
    for one in (cluster.get("slo") or {}).get("requirements") or ():
        values.append((SLO_MET, (("requirement", one["name"]),), float(one["met"])))
    for store in cluster.get("stores") or ():
        label = (("store", _label(f"{store['on']}:{store['store']}" if store["on"] else store["store"])),)
        values.append((STORE_READ, label, float(store["problem"] is None)))
        values += [(ARCHIVES, label, float(store["verified"]))] if store["problem"] is None else []
    return values


def _require_counts(backup: Mapping[str, Any]) -> None:
    for name, stats in (backup.get("records") or {}).items():
        if not isinstance(stats, Mapping) or "count" not in stats:
            raise ValueError(
                f"records of {printable(backup['cluster'])}: {printable(name)} must have count and size, as the "
                "module snapshot_save returns it"
            )


def _of_archive(archive: Mapping[str, Any], known_at: float | None, datacenter: str, cluster: str) -> list[Sample]:
    counts = counts_of(archive.get("records") or {})
    samples = [] if known_at is None else [Sample(LAST_SUCCESS, datacenter, cluster, (), known_at)]
    if archive.get("size") is not None:
        samples.append(Sample(SIZE, datacenter, cluster, (), float(archive["size"])))
    return samples + [Sample(RECORDS, datacenter, cluster, (("type", one),), float(counts[one])) for one in counts]


def _of_copies(copies: Mapping[str, Any], datacenter: str, cluster: str) -> list[Sample]:
    """What is said of stores that are no longer named goes."""
    samples = [
        Sample(COPY, datacenter, cluster, (("store", _label(store)),), float(bool(made)))
        for store, made in sorted(copies.items())
    ]
    return samples or [Sample(COPY, datacenter, cluster, (), None)]


def _known_at(backup: Mapping[str, Any], now: float) -> float | None:
    """When the archive was last known to hold what the cluster holds; a date far ahead of now tells nothing."""
    times = [from_text(str(backup[key])) for key in ("taken_at", "confirmed_at") if backup.get(key)]
    believed = [time for time in times if not is_ahead(time, now)]
    if believed:
        return min(max(believed), now)
    return now if backup.get("changed") else None


def _renewed(samples: Iterable[Sample]) -> dict[tuple[str, str], tuple[bool, float]]:
    """How much the lines of each cluster and datacenter are worth: a known datacenter more than none, later more."""
    found: dict[tuple[str, str], tuple[bool, float]] = {}
    for one in samples:
        at = one.value or 0.0 if one.name in _TIMESTAMPS else 0.0
        key = (one.cluster, one.datacenter)
        found[key] = max(found.get(key, (False, 0.0)), (bool(one.datacenter), at))
    return found


def _datacenters(kept: Iterable[Sample], fresh: Iterable[Sample]) -> dict[str, str]:
    """Which datacenter each cluster is in: what this run learned, or else what was learned last."""
    places: dict[str, str] = {}
    for (cluster, datacenter), _worth in sorted(_renewed(kept).items(), key=lambda item: item[1]):
        places[cluster] = datacenter
    for one in fresh:
        places[one.cluster] = one.datacenter or places.get(one.cluster, "")
    return places


def _line(sample: Sample, now: float) -> str:
    labels = (("datacenter", sample.datacenter), ("cluster", sample.cluster), *sample.more)
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    value = sample.value or 0.0
    value = min(value, float(int(now))) if sample.name in _TIMESTAMPS else value
    return f"{sample.name}{{{inside}}} {int(value) if value == int(value) else value!r}"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _label(text: object) -> str:
    """What an archive says of itself is bounded; nothing is known of None."""
    return printable(str(text), _LABEL_LIMIT) if text else ""


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES[match.group()], text)


def _unescaped(text: str) -> str:
    return _UNESCAPED.sub(lambda match: {"n": "\n"}.get(match.group(1), match.group(1)), text)
