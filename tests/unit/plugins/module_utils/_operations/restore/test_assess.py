# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was found on both sides to a plan."""

from __future__ import annotations

from typing import Any

from support.states import kv
from support.targets import CLUSTER, source_of, target_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.equivalence import Comparison
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.agents import Live
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.assess import (
    Plan,
    assess,
    reference_before,
    reference_of,
    remarks_on,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.sides import (
    RestoreRequest,
    Source,
    Target,
    Verified,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.restore_facts import Agent
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage import archive_source

KEYS, OTHER = [kv("a", b"1"), kv("b", b"2")], [kv("precious", b"")]
REQUEST = RestoreRequest("/a.snap", None, None, (), 60)
REPLACE = REQUEST._replace(accept_risks=("replace_content",), backup_dir="/b")


def plan(
    source: Source | None, target: Target, request: RestoreRequest = REQUEST, equivalent: Comparison | None = None
) -> Plan:
    fault = None if source else ArchiveError("cut short", fault="truncated", hint="Use another.")
    return assess(request, Verified(source, fault), target, reference_of(source, target), equivalent)


def statuses(found: Plan) -> dict[str, str]:
    return {finding.name: finding.status for finding in found.guards}


def test_a_fresh_cluster_is_restored_without_a_safety_archive() -> None:
    found = plan(source_of(KEYS), target_of([]))
    assert (found.refusal, found.proof) == (None, None)
    assert found.decision is not None
    assert found.decision.reason == "the cluster is fresh"
    assert found.upload is not None
    assert not found.upload.replaces_content
    assert found.upload.surviving_token == "token"
    assert set(statuses(found).values()) == {"passed"}


def test_content_that_is_replaced_is_kept() -> None:
    found = plan(source_of(KEYS), target_of(OTHER), REPLACE)
    assert found.upload is not None
    assert found.upload.replaces_content
    assert statuses(found)["fresh"] == "accepted"


def test_a_cluster_that_holds_the_content_is_left_alone_whatever_guards_say() -> None:
    found = plan(source_of(KEYS), target_of(KEYS, cluster=CLUSTER._replace(healthy=False)))
    assert (found.upload, found.refusal) == (None, None)
    assert statuses(found)["health"] == "refused"
    assert found.decision is not None
    assert not found.decision.go
    assert found.proof is not None
    assert (found.proof["equal"], found.proof["written_since"]) == (True, {})


def test_equivalent_content_is_left_alone() -> None:
    source = source_of(KEYS)
    equivalent = Comparison({"equal": True, "differs": [], "across_versions": True}, source.fingerprint)
    found = plan(source, target_of(OTHER), equivalent=equivalent)
    assert found.upload is None
    assert found.decision is not None
    assert "equivalent content" in found.decision.reason
    assert found.proof == {**equivalent.proof, "written_since": {}}


def test_a_refusal_names_every_guard_and_its_way_out() -> None:
    found = plan(source_of(KEYS, tokens=frozenset()), target_of(OTHER))
    assert found.upload is None
    assert found.refusal is not None
    assert found.refusal.facts == {
        "state": "nothing_sent",
        "refused": ["fresh", "token_survival"],
        "fault": None,
        "option": "post_restore_token",
    }
    assert found.refusal.message.startswith("the restore is refused and nothing was sent. fresh: the cluster holds")
    assert "; token_survival: token is not in the archive" in found.refusal.message


def test_an_archive_that_does_not_verify_is_refused_with_its_fault() -> None:
    found = plan(None, target_of([]))
    assert (found.decision, found.upload) == (None, None)
    assert found.refusal is not None
    assert (found.refusal.facts["refused"], found.refusal.facts["fault"]) == (["archive"], "truncated")
    assert "option" not in found.refusal.facts


def test_a_cluster_whose_state_could_not_be_read_is_refused() -> None:
    found = plan(source_of(KEYS), target_of(None, unknown={"content": "500"}), REPLACE)
    assert found.refusal is not None
    assert found.refusal.facts["refused"] == ["fresh"]


def test_the_restore_is_proven_beyond_both_indexes() -> None:
    for indexes in ((70, 200), (200, 70)):
        upload = plan(source_of(KEYS, index=indexes[0]), target_of([], index=indexes[1])).upload
        assert upload is not None
        assert (upload.expected.beyond, upload.reference.since) == (200, 200)
        assert upload.reference.agents == {"server-1"}


def test_servers_that_were_down_are_not_waited_for() -> None:
    [server] = CLUSTER.servers
    down = server._replace(name="server-2", id="id-2", healthy=False)
    target = target_of([], cluster=CLUSTER._replace(servers=(server, down), healthy=False))
    upload = plan(source_of(KEYS), target, REQUEST._replace(accept_risks=("unhealthy_target",))).upload
    assert upload is not None
    assert upload.expected.without == {"server-2"}
    assert any("raft on server-2" in step for step in upload.follow_up.next_steps)


def test_what_is_left_to_people() -> None:
    agents = {"web-1": Agent("id-9", True, {"web"}), "old-1": Agent("id-8", True, {"consul"})}
    upload = plan(source_of(KEYS, agents=agents), target_of([])).upload
    assert upload is not None
    assert upload.follow_up.agents_awaited == [{"node": "web-1", "services": ["web"]}]
    assert upload.follow_up.servers_gone == [{"node": "old-1", "services": ["consul"]}]
    unseen = plan(source_of(KEYS, agents=agents), target_of([], live=Live(None, False, True, {}))).upload
    assert unseen is not None
    assert unseen.follow_up.agents_awaited is None


def test_the_old_state_is_compared_by_its_own_records_since_the_same_index() -> None:
    upload = plan(source_of(KEYS), target_of(OTHER), REPLACE).upload
    assert upload is not None
    kept, fresh = reference_before(upload, archive_source.source_of("/b/kept.snap")), reference_before(upload, None)
    assert kept.fingerprint == fresh.fingerprint == upload.before.archive.state.fingerprint
    assert (kept.since, kept.agents, kept.across) == (upload.reference.since, upload.reference.agents, False)
    assert kept.read is not None
    assert fresh.read is None


def test_other_versions_are_told_by_the_archive_and_the_servers() -> None:
    source = source_of(KEYS)
    for versions, across in ((("1.22.7",), False), (("1.22.7+ent",), False), (("1.22.6", "1.22.7"), True)):
        [server] = CLUSTER.servers
        servers = tuple(server._replace(version=version) for version in versions)
        reference = reference_of(source, target_of([], cluster=CLUSTER._replace(servers=servers)))
        assert reference is not None
        assert reference.across is across


def remarks(saved: str | None, target: str | None) -> list[str]:
    source: Any = source_of([], cluster_name=saved)
    return remarks_on(source, REQUEST._replace(cluster=target))


def test_another_cluster_is_remarked_on_where_both_have_names() -> None:
    [remark] = remarks("production\n", "staging")
    assert remark == "the archive was saved for the cluster production\\n, and the target is staging"
    assert remarks("production", "production") == remarks(None, "staging") == remarks("production", None) == []
    assert remarks_on(None, REQUEST._replace(cluster="staging")) == []


def test_what_a_guard_warns_of_is_warned_of() -> None:
    found = plan(source_of(KEYS, findings={"legacy_token": 1}), target_of([]))
    [warning] = found.warnings
    assert warning.startswith("guard findings: ")
