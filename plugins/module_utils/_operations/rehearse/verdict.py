# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal came to: its verdict, the targets it met or missed, and one sentence for a person (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ..._errors import ArchiveError, RehearsalError, ServerDied, SnapshotError, listed
from ..._model.compatibility import unrestorable
from ..._model.finding_meanings import MEANINGS
from ..._model.losses import Loss, described, of_legacy_tokens
from ..._model.versions import is_enterprise
from .assertions import Outcome

PROVEN, NOT_PROVEN, REFUSED, DIED, INCOMPLETE = "proven", "not_proven", "refused", "died", "incomplete"
VERDICTS = (PROVEN, NOT_PROVEN, REFUSED, DIED, INCOMPLETE)
RTO, AGE = "rto", "age"
VERIFY, START, RESTORE, READY, PROOF = "verify", "start", "restore", "ready", "proof"
PHASES = (START, RESTORE, READY, PROOF)
"""The phases between nothing and a proven server."""

_LISTED = 3
_ALMOST_NONE = 1 << 16
"""Bytes of free space below which whatever fails is put down to the full disk: a server can't log it then."""
_FULL = "no space is left for the throwaway server"
_DAMAGED = "Don't use this archive; take a new one, or an older one that verifies."
_AGAIN = "Run it again; failure.cause in the result has the details."
_FREE_SPACE = "Free some space there, or set work_dir to a directory that has about four times the size of the state."


class Target(NamedTuple):
    """A limit that a user set, in seconds, and what was measured; None where nothing was."""

    name: str
    limit: float
    actual: float | None
    met: bool


class Conclusion(NamedTuple):
    """What a rehearsal came to. ``verdict`` None: it was only checked whether it could begin.

    ``reason`` and ``hint`` say why it is no better, and ``cause`` is the error behind that.
    """

    verdict: str | None
    reason: str = ""
    hint: str = ""
    cause: SnapshotError | None = None
    assertions: tuple[Outcome, ...] = ()
    targets: tuple[Target, ...] = ()


NOT_ENDED = Conclusion(INCOMPLETE)


def target(name: str, limit: float, actual: float | None) -> Target:
    """Return whether a limit was kept; what was not measured did not keep it."""
    return Target(name, limit, actual, actual is not None and actual <= limit)


def total(phases: Mapping[str, float]) -> float | None:
    """Return the time from nothing to a proven, running server; None when it did not come to that."""
    return round(sum(phases[name] for name in PHASES), 3) if all(name in phases for name in PHASES) else None


def passed(conclusion: Conclusion) -> bool:
    """Whether everything holds that was asked for."""
    held = all(outcome.passed for outcome in conclusion.assertions) and all(limit.met for limit in conclusion.targets)
    return conclusion.verdict in (PROVEN, None) and held


def unloadable(
    type_ids: Collection[int], config_kinds: Collection[str], *, archive_version: str | None, version: str
) -> Conclusion | None:
    """Return the refusal of an archive that holds what a server of this version can't read; None when it can."""
    missing = unrestorable(
        type_ids, config_kinds, archive=archive_version, target=version, enterprise=is_enterprise(version)
    )
    if not missing:
        return None
    return Conclusion(
        REFUSED,
        f"the archive holds records that Consul {version} can't read ({', '.join(missing)}); they would kill it, and "
        "again at each start",
        f"Rehearse it with the version it comes from ({archive_version or 'unknown'}), or a newer one of the same "
        "edition. With attempt_anyway: true the server is started all the same, to see it crash.",
    )


def unsigned(fault: str) -> Conclusion:
    """Return the refusal of an archive for which nobody vouches who may sign."""
    return Conclusion(
        REFUSED,
        f"nobody in allowed_signers vouches for the archive: {fault}",
        "Don't restore it before you know who put it there. With attempt_anyway: true it is rehearsed all the same.",
    )


def timed_out(seconds: float, phase: str, cause: SnapshotError | None) -> Conclusion:
    """Return what a rehearsal came to that did not end in time.

    :param phase: the one it was in. :param cause: what had gone wrong before.
    """
    reason = f"the rehearsal did not complete within {seconds:g} s (last phase: {phase})"
    return Conclusion(INCOMPLETE, reason, "Raise timeout, or check what slows this host down.", cause)


def broken_off(error: SnapshotError, phase: str, room: int | None) -> Conclusion:
    """Return what a rehearsal came to that an error ended.

    :param phase: the one it was in. :param room: bytes left for the server; None before it has a directory.
    """
    if isinstance(error, ServerDied):
        return _death(error, phase, room)
    if isinstance(error, ArchiveError) and phase == VERIFY:
        return Conclusion(REFUSED, f"the archive does not verify: {error.message}", error.hint or _DAMAGED, cause=error)
    if _is_full(error.message, room):
        return Conclusion(INCOMPLETE, f"{_FULL}: {error.message}", _FREE_SPACE, cause=error)
    reason = f"the rehearsal could not be completed: {error.message}"
    return Conclusion(INCOMPLETE, reason, error.hint or _AGAIN, cause=error)


def _death(error: ServerDied, phase: str, room: int | None) -> Conclusion:
    log = "; ".join(error.crash_log) or "nothing in its log"
    if _is_full(log, room):
        return Conclusion(INCOMPLETE, f"{_FULL}: {log}", _FREE_SPACE, cause=error)
    if phase == START:
        return Conclusion(
            INCOMPLETE,
            f"the throwaway server did not start. {error.message}: {log}",
            "Its configuration was written by this collection. Check that this Consul can start on this host at all.",
            cause=error,
        )
    return Conclusion(
        DIED,
        f"the throwaway server died while it restored the archive. {error.message}: {log}",
        "Don't restore the archive into this version. If it comes from this very version, report that to the makers of "
        "Consul.",
        cause=error,
    )


def of_proof(
    proof: Mapping[str, Any], losses: Collection[Loss], *, refusal: SnapshotError | None, version: str
) -> Conclusion:
    """Return what a rehearsal came to that reached its end.

    :param proof: ``{equal, differs, …}``, the comparison of the server's content with the archive's.
    :param losses: what the server's version has no place for.
    :param refusal: what the server answered to the restore, where that was an error. The proof counts all the same.
    """
    if proof["equal"]:
        return Conclusion(PROVEN)
    if refusal is not None:
        reason = f"the throwaway server did not restore the archive: {refusal.message}"
        return Conclusion(NOT_PROVEN, reason, refusal.hint, cause=refusal)
    return Conclusion(NOT_PROVEN, *disproven(proof["differs"], losses, version))


def disproven(differs: Sequence[str], losses: Collection[Loss], version: str) -> tuple[str, str]:
    """Return why a server that runs does not prove the archive, and what to do about it.

    :param differs: types of records that differ. :param losses: what the server's version has no place for.
    :param version: that of the server.
    """
    reason = f"the throwaway server runs, but its content is not the archive's: {', '.join(differs)}"
    if not losses:
        return reason, "proof.types in the result has the number of records of each type on both sides."
    reason += f". Consul {version} does not know everything that the archive holds: {described(losses)}"
    if of_legacy_tokens(losses):
        return reason, f"{MEANINGS['legacy_token'].cure}. Then take a new archive, and rehearse that."
    return reason, "Rehearse it with the version it comes from, or check whether you can do without what is lost."


def failure_of(conclusion: Conclusion, *, may_die: bool) -> RehearsalError | None:
    """Return the error of a rehearsal in which not everything holds that was asked for; None when it all does.

    :param may_die: the death of the server was asked for, and is no failure.
    """
    if passed(conclusion) or (conclusion.verdict == DIED and may_die):
        return None
    cause = {"cause": conclusion.cause.as_failure()} if conclusion.cause else {}
    return RehearsalError(sentence(conclusion), hint=advice(conclusion), **cause)


def sentence(conclusion: Conclusion) -> str:
    """Return what does not hold, in one sentence."""
    parts = [] if conclusion.verdict in (PROVEN, None) else [conclusion.reason]
    if conclusion.verdict in (PROVEN, None):
        failed = [f"{outcome.name} ({outcome.detail})" for outcome in conclusion.assertions if not outcome.passed]
        if failed:
            count = len(conclusion.assertions)
            parts.append(f"{len(failed)} of {count} assertions failed: {listed(failed, _LISTED)}")
    parts += [
        _missed(limit) for limit in conclusion.targets if not limit.met and (limit.actual is not None or _is_age(limit))
    ]
    begin = "the archive is proven, but " if conclusion.verdict == PROVEN else ""
    return begin + "; ".join(parts)


def advice(conclusion: Conclusion) -> str:
    """Return what to do about it."""
    if conclusion.hint:
        return conclusion.hint
    if any(not outcome.passed for outcome in conclusion.assertions):
        return "Check whether the cluster holds what the assertions name, and held it when the archive was taken."
    if [limit.name for limit in conclusion.targets if not limit.met] == [AGE]:
        return "Take a new archive, and find out why none was taken in time."
    return "See in rto which phase takes the time on this host, or raise max_rto."


def is_disk_full(text: str) -> bool:
    """Whether words say that there was no room left for what was written."""
    return any(words in text.lower() for words in ("no space left on device", "disk quota exceeded", "file too large"))


def _is_full(text: str, room: int | None) -> bool:
    return room is not None and (is_disk_full(text) or room < _ALMOST_NONE)


def _is_age(limit: Target) -> bool:
    return limit.name == AGE


def _missed(limit: Target) -> str:
    if limit.actual is None:
        seen = "the age of the archive is not known"
    else:
        seen = f"the archive is {limit.actual:g} s old" if _is_age(limit) else f"it took {limit.actual:g} s"
    return f"{seen}, and {limit.limit:g} s are allowed"
