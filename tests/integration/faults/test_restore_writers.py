# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds after a restore was sent, told apart on a real server that others write to meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest
from support.answers import after, first_really, hangs_up, says, says_json, stalls
from support.faults import Fault, FaultServer, pass_on
from support.scene import RESTORE, SNAPSHOT, Restoring
from support.waiting import wait_until

from lab import Cluster

LEADER_ACTIONS = "timed out waiting for re-run of leader actions"
DONT = "Don't send the archive again"


@pytest.fixture
def write(consul: Cluster) -> Iterator[Callable[[], None]]:
    """Writes a key, as somebody may at any time; the content is the other tests' again afterwards."""
    later = consul.http("GET", "/v1/kv/app/later?raw").content

    def wait_for_token() -> None:
        wait_until(lambda: consul.http("GET", "/v1/acl/token/self").status_code == 200, "the token does not come back")

    def written() -> None:
        wait_for_token()
        consul.http("PUT", "/v1/kv/app/live", data=b"x", check=True)

    yield written
    wait_for_token()
    consul.http("DELETE", "/v1/kv/app/live", check=True)
    consul.http("PUT", "/v1/kv/app/later", data=later, check=True)


@pytest.mark.every_version
@pytest.mark.parametrize("answer", [says(500, LEADER_ACTIONS), hangs_up], ids=["500", "closed"])
def test_replaced_and_written_to(
    restoring: Restoring, server: FaultServer, write: Callable[[], None], answer: Fault
) -> None:
    server.on(*RESTORE, first_really(after(write, answer)))
    outcome = restoring.restore()
    assert (outcome.failure["state"], outcome.result["changed"]) == ("replaced", True), outcome.result["msg"]
    assert outcome.result["next_steps"]
    assert server.count(*RESTORE) == 1
    restoring.check_kept(outcome)


def test_rejected_and_written_to(restoring: Restoring, server: FaultServer, write: Callable[[], None]) -> None:
    server.on(*RESTORE, after(write, says(500, LEADER_ACTIONS)))
    outcome = restoring.restore()
    assert (outcome.failure["state"], outcome.result["changed"]) == ("rejected", False), outcome.result["msg"]
    assert "next_steps" not in outcome.result
    restoring.check_kept(outcome)


def test_nobody_can_tell(restoring: Restoring, server: FaultServer) -> None:
    server.on(*SNAPSHOT, pass_on, says(500, "No cluster leader"))
    server.on(*RESTORE, hangs_up)
    outcome = restoring.restore()
    # It may have been replaced, so that nobody may rely on its being what it was.
    assert (outcome.failure["state"], outcome.result["changed"]) == ("unknown", True)
    assert outcome.result["next_steps"]
    restoring.check_kept(outcome)


def test_not_ready_in_time(restoring: Restoring, server: FaultServer, write: Callable[[], None]) -> None:
    server.on(*RESTORE, first_really(after(write, says(200))))
    # From then on autopilot is not content with the one server.
    health = ("GET", "/v1/operator/autopilot/health")
    sick = says_json({"Healthy": False, "FailureTolerance": 0, "Servers": []}, 429)
    server.on(*health, pass_on, sick)
    outcome = restoring.restore(wait_timeout=2, accept_risks=["replace_content", "unhealthy_target"])
    assert (outcome.failure["state"], outcome.result["changed"]) == ("replaced", True), outcome.result["msg"]
    assert "not ready after 2 s" in outcome.result["msg"]
    # Whether it was restored is looked at all the same, and what was written since told apart.
    assert outcome.failure["proof"]["equal"]
    assert outcome.failure["proof"]["written_since"]["KVS"]["names"] == ["app/live"]
    assert DONT in outcome.failure["hint"]
    assert outcome.result["next_steps"]
    restoring.check_kept(outcome)


@pytest.mark.parametrize("really", [True, False], ids=["replaced", "unknown"])
def test_told_to_end_after_it_was_sent(
    restoring: Restoring, server: FaultServer, write: Callable[[], None], really: bool
) -> None:
    if really:
        server.on(*RESTORE, first_really(after(write, says(200))))
        server.on(*SNAPSHOT, pass_on, stalls)
    else:
        server.on(*RESTORE, stalls)
    process = restoring.start_restore()
    assert server.stalled.wait(30)
    process.send_signal(signal.SIGTERM)
    outcome = restoring.finish(process)
    state = "replaced" if really else "unknown"
    assert (outcome.failure["kind"], outcome.failure["state"]) == ("interrupted", state)
    assert outcome.result["changed"]
    assert outcome.result["next_steps"]
    assert "Run it again" not in outcome.result["msg"]
    assert "docs/runbook.md" in outcome.failure["hint"]
    assert server.count(*RESTORE) == 1
