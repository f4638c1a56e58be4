# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal came to."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.losses import Loss
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.assertions import Outcome
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.verdict import (
    VERDICTS,
    Ending,
    advice,
    as_results,
    disproven,
    is_disk_full,
    passed,
    sentence,
    target,
    total,
)

HELD, FAILED = Outcome("a", True, "is there"), Outcome("b", False, "is not there")
SOON, LATE = target("rto", 10, 3.5), target("rto", 3, 3.5)
OLD, UNKNOWN_AGE = target("age", 60, 61), target("age", 60, None)


def ending(**changes: Any) -> Ending:
    return Ending("proven", "", "", (HELD,), (SOON,))._replace(**changes)


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
    assert as_results(ending(**changes))["passed"] is expected


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
