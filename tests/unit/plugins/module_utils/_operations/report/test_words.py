# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations, sizes and sentences of a report."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0, "0 s"),
        (0.844, "0.84 s"),
        (12.0, "12 s"),
        (12.44, "12.4 s"),
        (59.96, "1 min"),
        (200, "3 min 20 s"),
        (629, "10 min"),
        (18_130, "5 h 2 min"),
        (86_400 * 3 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert words.seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "unknown"), (812, "812 B"), (1234, "1.2 kB"), (107_000_000, "107 MB"), (5e12, "5.0 TB")],
)
def test_sizes(size: float | None, text: str) -> None:
    assert words.bytes_text(size) == text


def counts(**more: int) -> dict[str, int]:
    """How many clusters are in which state."""
    return {"passed": 0, "missed": 0, "failed": 0, "unknown": 0, **more}


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        ({}, "No cluster was rehearsed."),
        ({"passed": 1}, "The cluster would come back."),
        ({"missed": 2}, "All 2 clusters would come back."),
        ({"passed": 1, "failed": 2}, "1 of 3 clusters would come back."),
        ({"unknown": 1}, "Whether the cluster would come back is not known."),
        ({"failed": 2}, "None of 2 clusters would come back."),
        ({"failed": 1, "unknown": 1}, "None of 2 clusters is known to come back."),
    ],
)
def test_the_verdict_claims_nothing_that_is_unknown(of: dict[str, int], sentence: str) -> None:
    assert words.verdict_sentence(counts(**of)) == sentence


def rehearsal(verdict: str = "proven", **more: Any) -> dict[str, Any]:
    """What a report says of an archive."""
    return {
        "archive": "/kept/a.snap",
        "verdict": verdict,
        "message": None,
        "hint": None,
        "targets": [],
        "assertions": [],
        "rto": {"total": 2.5},
        **more,
    }


def test_what_came_of_an_archive() -> None:
    assert words.rehearsal_sentence(rehearsal()) == "Restored and proven in 2.5 s."
    assert words.rehearsal_sentence({**rehearsal(), "key_works": True}).endswith("2.5 s. The key opens the archive.")
    late = {"name": "age", "met": False, "actual": 7200.0, "limit": 3600.0}
    assert words.rehearsal_sentence(rehearsal(targets=[late])) == (
        "Restored and proven in 2.5 s, but the archive is 2 h old, and 1 h are allowed."
    )
    missing = {"name": "x", "passed": False, "detail": "key a is missing"}
    assert "1 assertion did not hold: key a is missing" in words.rehearsal_sentence(rehearsal(assertions=[missing]))
    assert words.rehearsal_sentence(rehearsal("died")) == "A Consul server died while it restored the archive."
    assert words.rehearsal_sentence(rehearsal("refused", message="it is cut short")) == "It is cut short."


def test_a_fault_of_names_speaks_louder_than_a_proof() -> None:
    cluster = {"head": 0, "faults": ["two names"], "problem": "", "rehearsals": [rehearsal()], "state": "unknown"}
    assert words.cluster_sentence(cluster) == "Two names."
    assert len(words.advice_of(cluster)) == 1
    assert "one name of its own" in words.advice_of(cluster)[0]


def test_other_archives_that_are_no_good_are_named() -> None:
    broken = rehearsal("refused", archive="/kept/b.snap", message="it is cut short", hint="Take a new one.")
    both = [one | {"sentence": words.rehearsal_sentence(one)} for one in (rehearsal(), broken)]
    cluster = {"head": 0, "faults": [], "problem": "", "rehearsals": both, "state": "missed"}
    assert words.cluster_sentence(cluster).endswith("1 other archive was not: b.snap. It is cut short.")
    assert words.advice_of(cluster) == ["Take a new one."]


def test_what_has_to_be_known_of_archives() -> None:
    listed = [{"path": "/kept/a.snap", "dated_ahead": True, "cluster": {"name": "x"}}]
    head = {"confirmed_by_leader": False, "saved_for": "x"}
    ahead, stale, left_out = words.remarks_of(head, listed, [{"path": "/kept/c.snap", "reason": "not readable"}])
    assert ahead.startswith("1 archive is dated more than a day ahead of now: a.snap.")
    assert stale.startswith("No leader confirmed the archive")
    assert left_out == "1 file left out: c.snap (not readable)."
