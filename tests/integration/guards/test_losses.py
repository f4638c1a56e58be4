# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another Consul version has no place for: the proof fails, and gives the true reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.calls import Calls
from support.documented import options_of
from support.waiting import wait_until

from lab import Cluster, binaries

Start = Callable[..., Cluster]
RULES = 'key "" { policy = "read" }'


def legacy_token(cluster: Cluster, kind: str, rules: str) -> dict[str, Any]:
    """Make a token the old way and return it once the leader has given it an accessor."""
    secret = cluster.put("/v1/acl/create", {"Name": f"legacy {kind}", "Type": kind, "Rules": rules})["ID"]

    def token() -> dict[str, Any]:
        return dict(cluster.get("/v1/acl/token/self", token=secret))

    wait_until(lambda: token().get("AccessorID"), "the leader gives no accessor")
    return token()


def test_the_rules_of_legacy_tokens(start: Start, calls: Calls, tmp_path: Path) -> None:
    source, target = start(binaries.OLD, name_prefix="legacy"), start(binaries.NEW)
    legacy_token(source, "management", "")
    harmless, lossy = str(tmp_path / "harmless.snap"), str(tmp_path / "lossy.snap")
    calls.ok(source, "snapshot_save", dest=harmless)
    client = legacy_token(source, "client", RULES)
    calls.ok(source, "snapshot_save", dest=lossy)
    told: dict[str, Any] = {
        "accept_risks": options_of("snapshot_restore")["accept_risks"]["choices"],
        "backup_dir": str(tmp_path / "replaced"),
        "wait_timeout": 5,
    }

    # A legacy management token has got a policy, and loses nothing with its type.
    done = calls.ok(target, "snapshot_restore", src=harmless, **told)
    assert done["proof"]["equal"]

    outcome = calls.run(target, "snapshot_restore", src=lossy, **told)
    assert outcome.failed, outcome.result
    assert (outcome.failure["state"], outcome.result["changed"]) == ("replaced", True)
    # As it is: the token is there, and may do nothing any more.
    left = target.get("/v1/acl/token/self", token=client["SecretID"])
    assert (left["AccessorID"], left.get("Rules"), left.get("Policies")) == (client["AccessorID"], None, None)
    assert outcome.failure["proof"]["differs"] == ["ACLToken"]
    assert outcome.failure["proof"]["lost"] == [
        {"type": "ACLToken", "field": "Rules", "count": 1, "names": [client["AccessorID"]]}
    ]
    assert f"Rules of 1 ACLToken records is lost ({client['AccessorID']})" in outcome.result["msg"]
    assert "consul acl policy create" in outcome.failure["hint"]
    assert "may be writing" not in outcome.stdout
    for secret in (client["SecretID"], RULES):
        assert secret not in outcome.stdout
