# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service level in words."""

from __future__ import annotations

from typing import Any

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.slo import Slo, judged
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.slo_words import (
    requirement_text,
    slo_advice,
    slo_sentence,
)

SLO = Slo(copies=3, places=2, age=3600, rehearsal_age=7 * 86400)


def level(*stores: dict[str, Any], rehearsal_age: float | None = None) -> dict[str, Any]:
    found = judged(SLO, stores, rehearsal_age=rehearsal_age)
    assert found is not None
    return found


def test_nothing_is_said_of_what_is_met() -> None:
    good = {"verified": 2, "age": 5.0, "problem": None}
    assert slo_sentence(level(good, good, rehearsal_age=5)) == slo_sentence(None) == ""
    assert slo_advice(level(good, good, rehearsal_age=5)) == slo_advice(None) == []


def test_all_that_is_missing_is_named_with_what_to_do() -> None:
    bad = level({"verified": 1, "age": 7200.0, "problem": None}, {"verified": 0, "age": None, "problem": "gone"})
    assert slo_sentence(bad) == (
        "The service level is missed: there is 1 verified archive, 3 required; 0 stores with a current archive, 2 "
        "required; the newest is 2 h old, 1 h are allowed; no archive was ever proven, 7 d are allowed. 1 store could "
        "not be read."
    )
    advice = slo_advice(bad)
    assert advice[0].startswith("Make the stores readable")
    assert len(advice) == 5
    assert "no archive is current" in slo_sentence(level())


def test_a_requirement_beside_its_limit() -> None:
    shown = [requirement_text(one) for one in level({"verified": 1, "age": 60.0, "problem": None})["requirements"]]
    assert shown == [
        "verified archives: 1, at least 3",
        "stores with a current archive: 1, at least 2",
        "age of the newest: 1 min, at most 1 h",
        "last proven: never, at most 7 d",
    ]
