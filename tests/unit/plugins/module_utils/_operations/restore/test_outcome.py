# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an archive that was sent, by the answer alone and by looks at the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.equivalence import Comparison
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ApiError,
    ClusterError,
    SnapshotError,
    TransportError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.losses import Loss
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.outcome import (
    DONT_SEND,
    disproven,
    failed,
    is_over,
    not_ready,
    state_by_answer,
    state_by_comparisons,
    state_by_content,
    unproven,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)

BEFORE, ARCHIVED = Fingerprint({"KVS": TypeDigest(1, 1)}), Fingerprint({"KVS": TypeDigest(2, 2)})
KEPT = "/var/backups/replaced.snap"


def answer(kind: str, status: int = 500) -> ApiError:
    return ApiError("no", status=status, body="", url="http://127.0.0.1:8500/v1/snapshot", kind=kind)


def comparison(*differs: str, fingerprint: Fingerprint = ARCHIVED, **more: Any) -> Comparison:
    written = {"written_since": more.pop("written_since", {})}
    return Comparison({"equal": not differs, "differs": list(differs), **written}, fingerprint, **more)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TransportError("refused", unsent=True), "nothing_sent"),
        (TransportError("reset"), None),
        (answer("permission_denied", 403), "rejected"),
        (answer("bad_archive"), "rejected"),
        (answer("too_large", 413), "rejected"),
        (answer("server_error"), None),
        (answer("no_quorum"), None),
        (answer("unavailable", 503), None),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_what_an_answer_says_by_itself(error: SnapshotError, state: str | None) -> None:
    assert state_by_answer(error) == state


@pytest.mark.parametrize(
    ("error", "over"),
    [
        (answer("server_error"), True),
        (answer("unavailable", 503), True),
        (answer("unavailable", 504), False),
        (answer("unavailable", 502), False),
        (answer("no_quorum"), False),
        (TransportError("reset"), False),
    ],
)
def test_whether_the_servers_are_done(error: SnapshotError, over: bool) -> None:
    assert is_over(error) is over


def test_a_cluster_that_holds_the_archive_was_replaced() -> None:
    assert state_by_content(comparison(), BEFORE) == "replaced"


def test_a_cluster_that_is_exactly_as_before_rejected_it() -> None:
    assert state_by_content(comparison("KVS", fingerprint=BEFORE), BEFORE) == "rejected"


def test_a_guess_does_not_make_it_replaced() -> None:
    assert state_by_content(comparison(guessed=True), BEFORE) is None


@pytest.mark.parametrize(
    ("seen", "old", "state"),
    [
        (comparison("KVS"), comparison(), "rejected"),
        (comparison("KVS"), comparison("KVS"), "unknown"),
        (comparison("KVS"), comparison(guessed=True), "unknown"),
        (comparison(guessed=True), comparison(), "unknown"),
    ],
    ids=["only the old", "neither", "the old by a guess", "both"],
)
def test_a_cluster_that_others_write_to(seen: Comparison, old: Comparison, state: str) -> None:
    assert state_by_comparisons(seen, old) == state


def test_an_answer_is_told_with_the_state_and_the_safety_archive() -> None:
    error = failed(answer("bad_archive"), "rejected", KEPT)
    assert error.message == (
        f"Consul did not restore: no. The cluster still holds its old state. What it held before is in {KEPT}"
    )
    assert (error.state, error.facts["state"], error.facts["cause"]["kind"]) == ("rejected", "rejected", "bad_archive")


def test_no_answer_says_how_to_bring_the_old_state_back() -> None:
    error = failed(TransportError("reset"), "unknown", None)
    assert "a server may be dead (reset)" in error.message
    assert "What it held before" not in error.message
    for step in ("consul members", "raft/snapshots", "docs/runbook.md"):
        assert step in error.hint


def test_what_was_never_sent_is_no_dead_server() -> None:
    error = failed(TransportError("refused", hint="Start it.", unsent=True), "nothing_sent", None)
    assert error.message == "Consul did not restore: refused. Nothing was sent"
    assert error.hint == "Start it."


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (None, "its content could not be read"),
        (comparison(), "its content is the archive's"),
        (comparison(written_since={"KVS": {}}), "the archive's, apart from what was written since (KVS)"),
        (comparison("KVS"), "the cluster's content is not the archive's: KVS"),
    ],
    ids=["unread", "equal", "written to", "another"],
)
def test_a_cluster_that_is_not_ready_says_what_it_holds(seen: Comparison | None, words: str) -> None:
    error = not_ready(ClusterError("after 4 s: no leader", hint="Look.", cause="no_leader"), seen, KEPT)
    assert error.message.startswith("the archive was restored, but the cluster is not ready after 4 s: no leader; ")
    assert words in error.message
    assert error.message.endswith(KEPT)
    assert error.hint == f"Look. {DONT_SEND}"
    assert error.facts.get("proof") == (seen.proof if seen else None)
    assert error.state == "replaced"


def test_a_token_that_died_with_the_restore_is_named() -> None:
    error = not_ready(ClusterError("after 4 s: 403", cause="token_unknown"), None, None)
    assert error.facts["option"] == "post_restore_token"
    assert error.hint.startswith("The archive's tokens are in force now.")
    assert error.hint.endswith(DONT_SEND)


def test_content_that_could_not_be_read_is_not_proven() -> None:
    error = unproven(ClusterError("no leader", hint="Look."), KEPT)
    assert error.message == (
        f"the archive was restored, but that can't be proven: no leader. What it held before is in {KEPT}"
    )
    assert error.hint == f"Look. {DONT_SEND}"


def test_another_content_names_what_shows_the_records() -> None:
    error = disproven(comparison("ACLToken", "KVS"), "/a.snap", KEPT)
    assert "is not the archive's: ACLToken, KVS" in error.message
    assert "snapshot_diff with before: /a.snap" in error.hint
    assert "lost" not in error.facts["proof"]


def test_losses_are_named_and_legacy_tokens_have_a_cure() -> None:
    loss = Loss("ACLToken", "Rules", 1, ["an accessor"])
    error = disproven(comparison("ACLToken", losses=(loss,)), "/a.snap", None)
    assert "Rules of 1 ACLToken records is lost (an accessor)" in error.message
    [lost] = error.facts["proof"]["lost"]
    assert lost == {"type": "ACLToken", "field": "Rules", "count": 1, "names": ["an accessor"]}
    assert "consul acl policy create" in error.hint
    other = disproven(comparison("ConfigEntry", losses=(Loss("ConfigEntry", "X", 1, ["a"]),)), "/a.snap", None)
    assert "snapshot_diff" in other.hint
