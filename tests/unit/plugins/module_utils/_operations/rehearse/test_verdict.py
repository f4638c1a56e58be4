# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal came to."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ApiError,
    ArchiveError,
    FileError,
    ServerDied,
    SnapshotError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.losses import Loss
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.assertions import Outcome
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.verdict import (
    VERDICTS,
    Conclusion,
    advice,
    broken_off,
    disproven,
    failure_of,
    is_disk_full,
    of_proof,
    passed,
    sentence,
    target,
    timed_out,
    total,
    unloadable,
)

HELD, FAILED = Outcome("a", True, "is there"), Outcome("b", False, "is not there")
SOON, LATE = target("rto", 10, 3.5), target("rto", 3, 3.5)
OLD, UNKNOWN_AGE = target("age", 60, 61), target("age", 60, None)


def ending(**changes: Any) -> Conclusion:
    return Conclusion("proven", assertions=(HELD,), targets=(SOON,))._replace(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"verdict": None}, True),
        ({"assertions": (), "targets": ()}, True),
        ({"assertions": (HELD, FAILED)}, False),
        ({"targets": (SOON, OLD)}, False),
        *(({"verdict": verdict}, False) for verdict in VERDICTS if verdict != "proven"),
    ],
)
def test_passed(changes: dict[str, Any], expected: bool) -> None:
    assert passed(ending(**changes)) is expected
    assert (failure_of(ending(**changes), may_die=False) is None) is expected


def test_targets() -> None:
    assert target("rto", 3, 3.0).met
    assert not target("rto", 3, 3.1).met
    assert not target("rto", 3, None).met


def test_the_total_is_only_there_where_all_phases_are() -> None:
    phases = {"start": 1.0, "restore": 0.2, "ready": 0.1}
    assert total(phases) is None
    assert total({**phases, "proof": 0.05}) == 1.35


def test_sentences() -> None:
    assert sentence(ending(assertions=(HELD, FAILED), targets=(LATE,))) == (
        "the archive is proven, but 1 of 2 assertions failed: b (is not there); it took 3.5 s, and 3 s are allowed"
    )
    assert sentence(ending(assertions=(FAILED,) * 5)).endswith("b (is not there) and 2 more")
    assert sentence(ending(targets=(OLD,))).endswith("proven, but the archive is 61 s old, and 60 s are allowed")
    # Of what could not be measured because of something else, only that is told.
    never = target("rto", 3, None)
    assert sentence(ending(verdict="died", reason="it died", assertions=(FAILED,), targets=(never,))) == "it died"
    refused = ending(verdict="refused", reason="it is cut", targets=(UNKNOWN_AGE,))
    assert sentence(refused) == "it is cut; the age of the archive is not known, and 60 s are allowed"
    assert sentence(ending(verdict=None, targets=(OLD,))) == "the archive is 61 s old, and 60 s are allowed"


def test_advice() -> None:
    assert advice(ending(hint="Do this.")) == "Do this."
    texts = {advice(ending(**one)) for one in ({"assertions": (FAILED,)}, {"targets": (OLD,)}, {"targets": (LATE,)})}
    assert len(texts) == 3


def test_no_room() -> None:
    assert is_disk_full("write /x: no space left on device")
    assert is_disk_full("can't write /x: No space left on device")
    assert is_disk_full("write /x: file too large")
    assert not is_disk_full("panic: no such thing")


def test_the_true_reason_why_another_version_holds_something_else() -> None:
    rules = Loss("ACLToken", "Rules", 4, ["a\x1b", "b", "c", "d"])
    reason, hint = disproven(["ACLToken"], [rules], "1.22.7")
    assert reason.endswith(
        "Consul 1.22.7 does not know everything that the archive holds: Rules of 4 ACLToken records is lost "
        "(a\\x1b, b, c and 1 more)"
    )
    assert "consul acl token update -upgrade-legacy" in hint
    other = disproven(["Register"], [Loss("Register", "Weights", 1, ["web"])], "1.22.7")
    assert "Weights of 1 Register records is lost (web)" in other[0]
    assert "legacy" not in other[1]
    assert disproven(["KVS", "Register"], [], "1.22.7")[0].endswith("is not the archive's: KVS, Register")


def test_records_that_a_server_cannot_read() -> None:
    assert unloadable([0, 3], [], archive_version="1.8.7", version="1.8.7") is None
    refusal = unloadable([0, 32], [], archive_version=None, version="1.8.7")
    assert refusal is not None
    assert (refusal.verdict, refusal.cause) == ("refused", None)
    assert "Consul 1.8.7 can't read (ServiceVirtualIP)" in refusal.reason
    assert "(unknown)" in refusal.hint


def test_the_time_limit() -> None:
    before = ApiError("no", status=500, body="", url="")
    late = timed_out(1.5, "restore", before)
    assert (late.verdict, late.cause) == ("incomplete", before)
    assert "within 1.5 s (last phase: restore)" in late.reason


DAMAGE, NO_FILE = ArchiveError("it is cut", fault="truncated"), FileError("no such file", hint="Look.")
DEATH = ServerDied("Consul 1.8.7 ended with exit code 2", crash_log=["panic: a", "b"])
FULL = ServerDied("Consul 1.8.7 ended with exit code 1", crash_log=["write: no space left on device"])
PLENTY = 1 << 30


@pytest.mark.parametrize(
    ("error", "phase", "room", "verdict", "words"),
    [
        (DAMAGE, "verify", None, "refused", "the archive does not verify: it is cut"),
        # What a server sends back that is no archive says nothing of the one that it was given.
        (DAMAGE, "proof", PLENTY, "incomplete", "could not be completed: it is cut"),
        (NO_FILE, "verify", None, "incomplete", "could not be completed: no such file"),
        (NO_FILE, "start", 0, "incomplete", "no space is left for the throwaway server: no such file"),
        (DEATH, "start", PLENTY, "incomplete", "did not start. Consul 1.8.7 ended with exit code 2: panic: a; b"),
        (DEATH, "restore", PLENTY, "died", "died while it restored the archive. Consul 1.8.7 ended with exit code 2"),
        (DEATH, "proof", PLENTY, "died", "died while"),
        (DEATH, "restore", 100, "incomplete", "no space is left for the throwaway server: panic: a; b"),
        (FULL, "restore", PLENTY, "incomplete", "no space is left for the throwaway server: write: no space"),
        (ServerDied("it ended", crash_log=[]), "ready", PLENTY, "died", "it ended: nothing in its log"),
    ],
)
def test_what_an_error_makes_of_a_rehearsal(
    error: SnapshotError, phase: str, room: int | None, verdict: str, words: str
) -> None:
    conclusion = broken_off(error, phase, room)
    assert (conclusion.verdict, conclusion.cause) == (verdict, error)
    assert words in conclusion.reason
    assert conclusion.hint


def test_the_proof_counts_whatever_the_server_answered() -> None:
    same, other = {"equal": True, "differs": []}, {"equal": False, "differs": ["KVS"]}
    refusal = ApiError("boom", status=500, body="", url="", hint="Look.")
    assert of_proof(same, [], refusal=refusal, version="1.22.7") == Conclusion("proven")
    refused = of_proof(other, [], refusal=refusal, version="1.22.7")
    assert (refused.verdict, refused.hint, refused.cause) == ("not_proven", "Look.", refusal)
    assert refused.reason == "the throwaway server did not restore the archive: boom"
    differing = of_proof(other, [], refusal=None, version="1.22.7")
    assert (differing.verdict, differing.cause) == ("not_proven", None)
    assert differing.reason.endswith("KVS")


def test_failures() -> None:
    died = Conclusion("died", "it died", "Look.", DEATH)
    assert failure_of(died, may_die=True) is None
    failure = failure_of(died, may_die=False)
    assert failure is not None
    assert failure.as_failure() == {"kind": "rehearsal", "hint": "Look.", "cause": DEATH.as_failure()}
    assert failure.message == "it died"
    # Only a death is asked for, not what keeps the server from being started.
    refused = failure_of(Conclusion("refused", "it is cut", "Look."), may_die=True)
    assert refused is not None
    assert "cause" not in refused.as_failure()
