# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in Prometheus' text format, for a textfile collector: made, and put into a file that is there (pure).

One file serves backups and rehearsals, of all clusters or of some: what a run has nothing to say about stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ._rehearsal import PHASES
from ._report import counts_of
from ._times import from_text

PREFIX = "consul_snapshot_"
LAST_SUCCESS = f"{PREFIX}last_success_timestamp_seconds"
LAST_REHEARSAL = f"{PREFIX}last_rehearsal_timestamp_seconds"
LAST_REHEARSAL_SUCCESS = f"{PREFIX}last_rehearsal_success"
RTO = f"{PREFIX}rto_seconds"
SIZE = f"{PREFIX}archive_size_bytes"
RECORDS = f"{PREFIX}records"

HELP = {
    LAST_SUCCESS: "When the content of the newest verified archive was last known to be the cluster's.",
    LAST_REHEARSAL: "When the cluster's archive was last rehearsed, well or not.",
    LAST_REHEARSAL_SUCCESS: "Whether the last rehearsal proved the archive and met every target (1) or not (0).",
    RTO: "How long the last rehearsal took, by phase, where it came to its end.",
    SIZE: "Size of the newest verified archive.",
    RECORDS: "Records in the newest verified archive, by type.",
}
_OF_A_REHEARSAL = (LAST_REHEARSAL, LAST_REHEARSAL_SUCCESS, RTO)

_LINE = re.compile(r"([a-z_]+)\{(.*)\} (\S+)")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')
_ESCAPES = {"\\": "\\\\", "\n": "\\n", '"': '\\"'}
_ESCAPED = re.compile(r'[\\\n"]')
_UNESCAPED = re.compile(r"\\(.)")


class Sample(NamedTuple):
    """One line: ``more`` holds labels beyond datacenter and cluster. No value: it only says that there is none."""

    name: str
    datacenter: str
    cluster: str
    more: tuple[tuple[str, str], ...]
    value: float | None


def of_report(report: Mapping[str, Any]) -> list[Sample]:
    """Return what a report of rehearsals says."""
    samples: list[Sample] = []
    for cluster in report["clusters"]:
        name, datacenter = cluster["cluster"], cluster["datacenter"] or ""
        samples += [Sample(metric, datacenter, name, (), None) for metric in _OF_A_REHEARSAL]
        head = cluster["rehearsals"][cluster["head"]] if cluster["head"] is not None else None
        if head:
            samples.append(Sample(LAST_REHEARSAL, datacenter, name, (), from_text(report["generated_at"])))
        samples.append(Sample(LAST_REHEARSAL_SUCCESS, datacenter, name, (), float(cluster["state"] == "passed")))
        if head and head["verdict"] == "proven":
            samples += _of_archive(head, datacenter, name)
            phases = {phase: (head["rto"] or {}).get(phase) for phase in PHASES}
            samples += [Sample(RTO, datacenter, name, (("phase", one),), phases[one]) for one in PHASES if phases[one]]
    return samples


def of_backups(backups: Iterable[Mapping[str, Any]]) -> list[Sample]:
    """Return what backups say that ended well: ``cluster``, ``datacenter``, ``confirmed_at``, ``size``, ``records``."""
    samples: list[Sample] = []
    for backup in backups:
        samples += _of_archive(backup, str(backup.get("datacenter") or ""), str(backup["cluster"]))
    return samples


def merge(existing: str, samples: Iterable[Sample]) -> str:
    """Return the text of a file with these samples in the place of what it said of the same clusters.

    :raises ValueError: a line of the file is none of ours.
    """
    kept = parse(existing)
    fresh = [_with_datacenter(one, kept) for one in samples]
    told = {(one.name, one.datacenter, one.cluster) for one in fresh}
    kept = [one for one in kept if not {(one.name, place, one.cluster) for place in (one.datacenter, "")} & told]
    every = sorted({one[:4]: one for one in [*kept, *fresh] if one.value is not None}.values())
    lines = []
    for name, words in HELP.items():
        family = [one for one in every if one.name == name]
        lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"] if family else []
        lines += [_line(one) for one in family]
    return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> list[Sample]:
    """Return the samples of a text that ``merge`` wrote.

    :raises ValueError: a line is none of ours.
    """
    samples = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match or match.group(1) not in HELP:
            raise ValueError(f"line {number} was not written by this collection; give it a file of its own")
        labels = {name: _unescaped(value) for name, value in _LABEL.findall(match.group(2))}
        places = [labels.pop(name, "") for name in ("datacenter", "cluster")]
        samples.append(Sample(match.group(1), places[0], places[1], tuple(labels.items()), float(match.group(3))))
    return samples


def _of_archive(archive: Mapping[str, Any], datacenter: str, cluster: str) -> list[Sample]:
    known = [from_text(archive[key]) for key in ("taken_at", "confirmed_at") if archive.get(key)]
    counts = counts_of(archive.get("records") or {})
    samples = [Sample(LAST_SUCCESS, datacenter, cluster, (), max(known))] if known else []
    if archive.get("size") is not None:
        samples.append(Sample(SIZE, datacenter, cluster, (), float(archive["size"])))
    return samples + [Sample(RECORDS, datacenter, cluster, (("type", one),), float(counts[one])) for one in counts]


def _with_datacenter(sample: Sample, kept: Iterable[Sample]) -> Sample:
    """A cluster whose archive can't be read is the one that is known by its name already."""
    if sample.datacenter:
        return sample
    known = {one.datacenter for one in kept if one.cluster == sample.cluster and one.datacenter}
    return sample._replace(datacenter=known.pop()) if len(known) == 1 else sample


def _line(sample: Sample) -> str:
    labels = (("datacenter", sample.datacenter), ("cluster", sample.cluster), *sample.more)
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    value = sample.value or 0.0
    return f"{sample.name}{{{inside}}} {int(value) if value == int(value) else value!r}"


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES[match.group()], text)


def _unescaped(text: str) -> str:
    return _UNESCAPED.sub(lambda match: {"n": "\n"}.get(match.group(1), match.group(1)), text)
