# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where only the leader's host takes archives: who works, who does not, and what they say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.playbooks import Ansible, hosts_of

from lab import Cluster

ONLY = {"backup_cluster": "three", "backup_only_on_leader": True}


def by_duty(three: Cluster) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The leader's name, the leader as the only host, and one follower as the only host."""
    leader = three.leader()
    assert leader is not None
    hosts = hosts_of(three, count=3)
    follower = three.followers()[0].name
    return leader.name, {leader.name: hosts[leader.name]}, {follower: hosts[follower]}


@pytest.mark.every_version
def test_among_all_servers_the_leader_works(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    leader = by_duty(three)[0]
    hosts = hosts_of(three, count=3)
    # The leader comes last, so that it is not first by chance.
    ordered = {name: hosts[name] for name in sorted(hosts, key=lambda name: name == leader)}
    kept = tmp_path / "kept"
    played = ansible.ok("backup", ansible.inventory(ordered, backup_dir=str(kept), **ONLY))
    (archive,) = kept.glob("*.snap")
    assert played.says(f"three: {leader} is the leader"), played.output
    assert played.says(f"three: kept {archive} on {leader}"), played.output


@pytest.mark.nightly
def test_a_follower_does_nothing_until_the_newest_archive_is_too_old(
    ansible: Ansible, three: Cluster, tmp_path: Path
) -> None:
    leader, leading, following = by_duty(three)
    (follower,) = following
    kept, textfile = tmp_path / "kept", tmp_path / "consul.prom"
    told = {"backup_dir": str(kept), "backup_textfile": str(textfile), **ONLY}
    alone = ansible.inventory(following, name="follower", **told)

    # By itself a follower never works, be there an archive or not.
    played = ansible.ok("backup", alone)
    assert played.says(f"three: nothing is done here: {follower} is not the leader"), played.output
    assert (played.changed, kept.exists(), textfile.exists()) == (0, False, False)

    # The same host, with fallback_after: there is none yet, so it takes one, and says why.
    played = ansible.ok("backup", alone, backup_fallback_after="36h")
    assert played.says("but no archive of this cluster is there yet"), played.output
    (archive,) = kept.glob("*.snap")
    metrics = textfile.read_text(encoding="utf-8")

    # Now there is one that is new enough. The metrics stay as the host that worked wrote them.
    played = ansible.ok("backup", alone, backup_fallback_after="36h")
    assert played.says(
        f"three: nothing is done here: {follower} is not the leader, and the newest archive was taken or"
    )
    assert {path.name for path in kept.glob("*.snap*")} == {archive.name, f"{archive.name}.manifest.json"}
    assert textfile.read_text(encoding="utf-8") == metrics

    # It grows old: the leader's host is out of its timer, say.
    manifest = kept / f"{archive.name}.manifest.json"
    aged = json.loads(manifest.read_text(encoding="utf-8"))
    aged = {
        name: "2026-01-02T03:04:05Z" if name in ("taken_at", "confirmed_at") else told for name, told in aged.items()
    }
    manifest.write_text(json.dumps(aged), encoding="utf-8")
    os.utime(manifest, (0, 0))
    played = ansible.ok("backup", alone, backup_fallback_after="36h")
    assert played.says("but the newest archive was taken or confirmed at 2026-01-02T03:04:05Z, more than 36h ago"), (
        played.output
    )
    assert len(list(kept.glob("*.snap")) + list(kept.glob("*.confirmed-*"))) == 2

    # A store that can't be read, and a time that nobody understands, are no reason to end well.
    ansible.fails(
        "backup",
        alone,
        f"{follower} is not the leader, and the age of the newest archive is not known",
        backup_fallback_after="36h",
        backup_dir=str(archive),
    )
    ansible.fails("backup", alone, 'backup_fallback_after is "1m"', backup_fallback_after="1m")
    # And the leader, by itself, works in any case.
    played = ansible.ok("backup", ansible.inventory(leading, **told))
    assert played.says(f"three: {leader} is the leader"), played.output
