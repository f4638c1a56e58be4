# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says in words: durations, sizes, what happened and what to do about it (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._errors import printable
from .names import several_unnamed

_LISTED = 4
NAME_LIMIT = 200

STATE_WORDS = {
    "passed": "proven",
    "missed": "short of a target",
    "failed": "would not come back",
    "unknown": "unknown",
}

RTO_LEAVES_OUT = (
    "the time until somebody notices the loss and decides to restore",
    "new machines, their network, and the installation of Consul",
    "further servers: one server was started, and a quorum takes as many as the cluster needs",
    "agents and clients until they have found the new servers",
    "the way of the archive and its key to the machine, where they are not there yet",
)
"""What a loss takes beyond the RTO that a rehearsal measures."""

_VERDICTS = {
    "not_proven": "The restored server runs, but its content is not the archive's",
    "refused": "The archive was refused before it reached a server",
    "died": "A Consul server died while it restored the archive",
    "incomplete": "The rehearsal did not complete",
}

# What helps when the module had nothing to say about it.
_ADVICE = {
    "not_proven": "Take a new archive and rehearse it; if it differs again, report it with the names of the types.",
    "refused": "Take a new archive of this cluster now, and keep the older ones until it is proven.",
    "died": "Don't restore this archive with this version of Consul. Take a new one, or keep the old version.",
    "incomplete": "Correct what stopped the rehearsal, then rehearse again.",
}
_TARGET_ADVICE = {
    "rto": "See which phase takes the time, and on what host; or allow more with rehearsal_max_rto.",
    "age": "Take a backup of this cluster now, and see why none was taken or confirmed in time.",
}
_ASSERTION_ADVICE = (
    "See whether the cluster still holds what the assertions name; if it should not, change rehearsal_assertions."
)

_FAULT_ADVICE = (
    "Give each Consul cluster one name of its own (backup_cluster, rehearsal_cluster) and back it up under that name."
)
_MISSING_ADVICE = (
    "Back this cluster up, or let rehearsal_dir or rehearsal_src name where its archives are. Archives beside "
    "those of other clusters count only for the cluster that they were saved for."
)


def seconds_text(value: float | None) -> str:
    """Return a duration as a person says it: ``0.84 s``, ``12.4 s``, ``3 min 20 s``, ``5 h 2 min``, ``3 d 4 h``."""
    if value is None:
        return "unknown"
    if value < 1:
        return f"{value:.2f} s" if value else "0 s"
    if value < 59.95:
        return f"{value:.1f} s".replace(".0 s", " s")
    whole = round(value)
    if whole >= 600:
        whole -= whole % 60
    for unit, size, lesser, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {lesser}" if rest else "")
    return f"{whole} s"


def bytes_text(value: float | None) -> str:
    """Return a size as a person says it: ``812 B``, ``1.2 kB``, ``107 MB``."""
    if value is None:
        return "unknown"
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def time_text(text: str | None) -> str:
    """Return ``2026-11-23T02:15:00Z`` as ``2026-11-23 02:15 UTC``."""
    return f"{text[:10]} {text[11:16]} UTC" if text else "unknown"


def plural(count: int, word: str) -> str:
    """Return the count with its word: ``1 cluster``, ``3 clusters``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def listed_names(names: Sequence[str], most: int = _LISTED) -> str:
    """Return names in a row, and how many there are beyond."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def verdict_sentence(counts: Mapping[str, int]) -> str:
    """Return the one sentence that a fleet's report begins with.

    A cluster would come back when an archive of it is proven, whether or not every target is met. Of one that is
    unknown nothing is claimed.
    """
    clusters, back = sum(counts.values()), counts["passed"] + counts["missed"]
    if not clusters:
        return "No cluster was rehearsed."
    if back == clusters:
        return "The cluster would come back." if clusters == 1 else f"All {clusters} clusters would come back."
    if back:
        return f"{back} of {clusters} clusters would come back."
    if counts["unknown"] == clusters:
        which = "the cluster" if clusters == 1 else f"any of the {clusters} clusters"
        return f"Whether {which} would come back is not known."
    if counts["failed"] == clusters:
        return "The cluster would not come back." if clusters == 1 else f"None of {clusters} clusters would come back."
    return f"None of {clusters} clusters is known to come back."


def remark_sentence(counts: Mapping[str, int]) -> str:
    """Return what has to be said beside it."""
    failed, unknown, missed = counts["failed"], counts["unknown"], counts["missed"]
    clusters = sum(counts.values())
    if clusters == 1:
        return "It misses a target." if missed else ""
    parts = [f"{failed} would not."] if failed and failed < clusters else []
    parts += [f"{unknown} {'is' if unknown == 1 else 'are'} unknown."] if unknown and unknown < clusters else []
    parts += [f"{missed} would, but {'misses' if missed == 1 else 'miss'} a target."] if missed else []
    return " ".join(parts) or ("Every target was met." if clusters and not failed + unknown else "")


def left_out_sentence(known: Mapping[str, Any]) -> str:
    """Return what has to be said of clusters that a limited run left out; ``known`` has their ``at``, by name."""
    if not known:
        return ""
    oldest = time_text(min(one.at for one in known.values()))
    if len(known) == 1:
        return f"1 cluster was not part of this run; what is said of it is of {oldest}."
    return f"{len(known):,} clusters were not part of this run; what is said of them is of {oldest} or later."


def left_out_remark(at: str) -> str:
    """Return that of one of them."""
    return f"Not part of this run: this is what was known at {time_text(at)}. That run's report is in history/."


def figure_sentences(rto: Mapping[str, Any], rpo: Mapping[str, Any]) -> list[str]:
    """Return the worst RTO and RPO of a fleet, each in a sentence, with the clusters that have none."""
    found = []
    for name, measure in (("RTO", rto), ("RPO", rpo)):
        parts = [f"unbounded for {measure['unbounded']}"] if measure["unbounded"] else []
        parts += [f"unknown for {measure['unknown']}"] if measure["unknown"] else []
        if measure["worst"] is not None:
            rest = "otherwise at most" if parts else "at most"
            worst = seconds_text(measure["worst"])
            parts.append(f"{rest} {worst} ({printable(measure['worst_cluster'], NAME_LIMIT)})")
        found += [f"{name}: {', '.join(parts)}."] if parts else []
    return found


def remarks_of(
    head: Mapping[str, Any] | None, listed: Sequence[Mapping[str, Any]], skipped: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what has to be known of a cluster's archives and is no failure by itself."""
    remarks = []
    ahead = [file_text(one) for one in listed if one.get("dated_ahead")]
    if ahead:
        remarks.append(
            f"{plural(len(ahead), 'archive')} {'is' if len(ahead) == 1 else 'are'} dated more than a day ahead of now: "
            f"{listed_names(ahead)}. The clock of a server ran ahead. These dates are not used."
        )
    if head and head["confirmed_by_leader"] is False:
        remarks.append(
            "No leader confirmed the archive: it was saved with stale reads and may lag behind the cluster. Its age is "
            "not known and does not count as RPO."
        )
    if several_unnamed(listed):
        remarks.append("No archive names the cluster, and they are of several Consul clusters, one after the other.")
    elif head and listed and not head["saved_for"]:
        remarks.append(
            "The archive does not say for which cluster it was saved. It counts for this cluster because of the "
            "directory it is in."
        )
    if skipped:
        reasons = [f"{file_text(one)} ({printable(one.get('reason') or 'no reason given', 100)})" for one in skipped]
        remarks.append(f"{plural(len(skipped), 'file')} left out: {listed_names(reasons)}.")
    return remarks


def rehearsal_sentence(rehearsal: Mapping[str, Any]) -> str:
    """Return what came of one archive."""
    verdict = rehearsal["verdict"]
    if verdict != "proven":
        return _ended(rehearsal["message"] or _VERDICTS.get(verdict, _VERDICTS["incomplete"]))
    parts = [_missed(one) for one in rehearsal["targets"] if not one["met"]]
    failed = [one["detail"] or one["name"] for one in rehearsal["assertions"] if not one["passed"]]
    if failed:
        parts.append(f"{plural(len(failed), 'assertion')} did not hold: {listed_names(failed)}")
    total = (rehearsal["rto"] or {}).get("total")
    took = f" in {seconds_text(total)}" if total is not None else ""
    key = " The key opens the archive." if rehearsal.get("key_works") else ""
    return f"Restored and proven{took}" + (f", but {'; '.join(parts)}." if parts else ".") + key


def cluster_sentence(cluster: Mapping[str, Any]) -> str:
    """Return what came of a cluster: of the archive that stands for it, and of newer ones that are no good."""
    rehearsals = cluster["rehearsals"]
    if cluster["head"] is None or cluster["faults"]:
        # What was restored proves nothing as long as it is not known whose it is.
        return " ".join(map(_ended, cluster["faults"] or [cluster["problem"] or "No archive of it was rehearsed"]))
    head = rehearsals[cluster["head"]]
    others = [one for one in rehearsals if one is not head and one["verdict"] != "proven"]
    sentence = head["sentence"]
    if head["verdict"] == "proven" and others:
        names = listed_names([file_text({"path": one["archive"]}) for one in others])
        were = "was" if len(others) == 1 else "were"
        sentence += f" {plural(len(others), 'other archive')} {were} not: {names}. {others[0]['sentence']}"
    if cluster["problem"]:
        sentence += f" {_ended(cluster['problem'])}"
    return str(sentence)


def advice_of(cluster: Mapping[str, Any]) -> list[str]:
    """Return what to do, each once; nothing for a cluster that passed."""
    if cluster["state"] == "passed":
        return []
    found = []
    for one in cluster["rehearsals"]:
        if one["verdict"] != "proven":
            found.append(one["hint"] or _ADVICE.get(one["verdict"], _ADVICE["incomplete"]))
            continue
        found += [_TARGET_ADVICE[target["name"]] for target in one["targets"] if not target["met"]]
        found += [_ASSERTION_ADVICE] if not all(told["passed"] for told in one["assertions"]) else []
    if cluster["faults"]:
        return [_FAULT_ADVICE]
    if cluster["state"] == "failed" and not cluster["rehearsals"]:
        found.append(_MISSING_ADVICE)
    elif cluster["problem"] or not cluster["rehearsals"]:
        found.append("Read the output of the run for its host, correct what it names, and rehearse again.")
    return list(dict.fromkeys(found))


def _missed(target: Mapping[str, Any]) -> str:
    limit = seconds_text(target["limit"])
    if target["name"] == "age":
        if target["actual"] is None:
            return f"the age of the archive is not known, and {limit} are allowed"
        return f"the archive is {seconds_text(target['actual'])} old, and {limit} are allowed"
    return f"only {limit} are allowed"


def file_text(archive: Mapping[str, Any]) -> str:
    """Return the name of an archive's file as it may be shown."""
    return printable(str(archive.get("path")).rpartition("/")[2], NAME_LIMIT)


def _ended(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
