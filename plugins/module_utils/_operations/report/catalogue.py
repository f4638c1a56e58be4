# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a cluster in each store, from what the modules returned of them (pure).

Manifests are written by whoever may write to a store: texts are bounded and made printable here, once, and what is not
a result is a store that could not be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..._errors import printable
from ..._storage.chronology import is_ahead
from ..._times import from_text, to_text
from .input import text_of

SHOWN = 30
"""Archives of a store whose fate is shown; those that would be removed come first."""
SIZES = 60
_NAME = 200
_NO_RESULT = "what snapshot_list returned is not a result of the module"


def stores_of(
    looks: Iterable[Mapping[str, Any]], *, now: float, proven: Collection[str] = (), signed_only: bool = False
) -> list[dict[str, Any]]:
    """Return what is known of a cluster's archives in each store, as the report holds it.

    :param looks: for each store ``store`` (its path or URL), ``on`` (the host it was read on; empty for a URL),
        ``listed`` (what snapshot_list returned for this cluster) and ``pruned`` (what snapshot_prune returned in check
        mode; may be missing). Of several for one store the first counts that could be read.
    :param proven: the SHA-256 of archives that this run has proven.
    :param signed_only: whether archives count only with the signature of an allowed signer.
    """
    by_place: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for look in looks:
        by_place.setdefault((str(look["store"]).rstrip("/"), str(look.get("on") or "")), []).append(look)
    chosen = [next((one for one in same if _problem(one) is None), same[0]) for same in by_place.values()]
    known = _known([one for look in chosen for one in _archives(look)], now)
    return [_store(look, known, now, frozenset(proven), signed_only) for look in chosen]


def _archives(look: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What counts for the cluster. Archives that name none count for nobody where only others are named."""
    if _problem(look) is not None:
        return []
    listed = look["listed"]
    archives: list[Mapping[str, Any]] = listed["archives"]
    named = any((one.get("cluster") or {}).get("name") for one in archives)
    return archives if named or not listed.get("other_clusters") else []


def other_clusters(looks: Iterable[Mapping[str, Any]], named: Collection[str]) -> list[str]:
    """Return the clusters that have archives in the stores and that no host of the run represents."""
    told = {printable(name, None) for name in named}
    found: set[str] = set()
    for look in looks:
        others = (look.get("listed") or {}).get("other_clusters") if _problem(look) is None else None
        found.update(text_of(one, _NAME) for one in others or () if str(one) not in told)
    return sorted(found)


def _problem(look: Mapping[str, Any]) -> str | None:
    """Why a store could not be read."""
    listed = look.get("listed")
    if not isinstance(listed, Mapping):
        return _NO_RESULT
    if listed.get("unreachable"):
        return text_of(f"{look.get('on') or 'the host'} can't be reached: {listed.get('msg') or 'no reason given'}")
    archives = listed.get("archives")
    if listed.get("failure") or listed.get("failed") or archives is None:
        return text_of(listed.get("msg") or "the archives could not be listed")
    if listed.get("exists") is False:
        return "the directory does not exist"
    return None if isinstance(archives, list) and all(map(_is_archive, archives)) else _NO_RESULT


def _is_archive(one: object) -> bool:
    return isinstance(one, Mapping) and bool(one.get("path")) and isinstance(one.get("cluster") or {}, Mapping)


def _known(archives: Iterable[Mapping[str, Any]], now: float) -> dict[tuple[str, str], float]:
    """When each content was last known to be the cluster's, by what identifies it: a confirmation counts for every
    copy."""
    known: dict[tuple[str, str], float] = {}
    for archive in archives:
        confirmed = _time(archive.get("confirmed_at"), now)
        for key in _keys(archive) if confirmed is not None else ():
            known[key] = max(known.get(key, 0.0), confirmed or 0.0)
    return known


def _keys(archive: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key, str(archive[key])) for key in ("sha256", "fingerprint") if archive.get(key)]


def _store(
    look: Mapping[str, Any],
    known: Mapping[tuple[str, str], float],
    now: float,
    proven: frozenset[str],
    signed_only: bool,
) -> dict[str, Any]:
    problem = _problem(look)
    archives = _archives(look)
    good = [one for one in archives if _is_verified(one, signed_only)]
    times = [_current_at(one, known, now) for one in good]
    current = max((time for time in times if time is not None), default=None)
    taken = [time for time in (_time(one.get("taken_at"), now) for one in good) if time is not None]
    pruned = look.get("pruned")
    return {
        "store": text_of(look["store"]),
        "on": text_of(look.get("on") or "", _NAME) or None,
        "problem": problem,
        "archives": len(archives),
        "verified": len(good),
        "newest_taken_at": to_text(max(taken, default=None)),
        "current_at": to_text(current),
        "age": None if current is None else max(0.0, float(round(now - current))),
        "sealed": sum(one.get("sealed") is True for one in archives),
        "signed": sum(bool(one.get("signed_by")) if signed_only else one.get("signed") is True for one in archives),
        "held": _held(archives, pruned),
        "locked": sum((_locked(one) or 0) > now for one in archives),
        "locked_until": to_text(max((_locked(one) or 0 for one in archives), default=0) or None),
        "bytes": sum(_size(one) for one in archives),
        "sizes": _sizes(good, now),
        "proven": any(one.get("sha256") in proven for one in good if one.get("sha256")),
        "next_prune": _next_prune(pruned) if problem is None and isinstance(pruned, Mapping) else None,
    }


def _is_verified(archive: Mapping[str, Any], signed_only: bool) -> bool:
    """It was read to its end when it was saved, and its size is still what it was."""
    return archive.get("manifest_status") == "matches" and (not signed_only or bool(archive.get("signed_by")))


def _current_at(archive: Mapping[str, Any], known: Mapping[tuple[str, str], float], now: float) -> float | None:
    """When its content was last known to be the cluster's; None where nobody can say."""
    times = [known.get(key) for key in _keys(archive)]
    if archive.get("confirmed_by_leader") is not False:
        times.append(_time(archive.get("taken_at"), now))
    return max((time for time in times if time is not None), default=None)


def _held(archives: Iterable[Mapping[str, Any]], pruned: object) -> int:
    """Holds of ours are known to the prune, legal holds of a store to the list."""
    held = {str(one["path"]) for one in archives if one.get("held") is True}
    for one in _rows(pruned):
        held |= {str(one.get("path"))} if any(reason.startswith("held: ") for reason in _reasons(one)) else set()
    return len(held)


def _locked(archive: Mapping[str, Any]) -> float | None:
    try:
        return from_text(str(archive["locked_until"])) if archive.get("locked_until") else None
    except ValueError:
        return None


def _sizes(archives: Sequence[Mapping[str, Any]], now: float) -> list[dict[str, Any]]:
    """The sizes of the newest archives, the oldest of them first."""
    dated = sorted(
        (time, _size(one)) for one in archives for time in [_time(one.get("taken_at"), now)] if time is not None
    )
    return [{"at": to_text(at), "size": size} for at, size in dated[-SIZES:]]


def _size(archive: Mapping[str, Any]) -> int:
    size = archive.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 0


def _time(text: object, now: float) -> float | None:
    """A time that does not lie far ahead of now; a little ahead is now."""
    if not isinstance(text, str):
        return None
    try:
        time = from_text(text)
    except ValueError:
        return None
    return None if is_ahead(time, now) else min(time, now)


def _rows(pruned: object) -> list[Mapping[str, Any]]:
    rows = pruned.get("archives") if isinstance(pruned, Mapping) else None
    return [one for one in rows if isinstance(one, Mapping)] if isinstance(rows, list) else []


def _reasons(row: Mapping[str, Any]) -> list[str]:
    reasons = row.get("reasons")
    return [text_of(one, _NAME) for one in reasons] if isinstance(reasons, list) else []


def _next_prune(pruned: Mapping[str, Any]) -> dict[str, Any]:
    """What the next prune would do in a store, and why each archive stays."""
    rows = _rows(pruned)
    failed = pruned.get("failure") or pruned.get("failed") or pruned.get("unreachable") or "archives" not in pruned
    problem = text_of(pruned.get("msg") or "the module returned no result") if failed else None
    going = [one for one in rows if one.get("keep") is False]
    staying = [one for one in rows if one.get("keep") is not False]
    return {
        "problem": problem,
        "kept": len(staying),
        "removes": len(going),
        "frees": sum(_size(one) for one in going),
        "archives": [_fate(one) for one in (*going, *staying)[:SHOWN]],
    }


def _fate(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "file": printable(str(row.get("path")).rpartition("/")[2], _NAME),
        "taken_at": row["taken_at"] if _time(row.get("taken_at"), float("inf")) is not None else None,
        "size": _size(row),
        "keep": row.get("keep") is not False,
        "reasons": _reasons(row)[:10],
    }
