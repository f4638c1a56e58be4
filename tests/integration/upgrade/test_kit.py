# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of a rollback kit, extracted and carried out on the servers that it was made for."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.kits import DATA_DIR, Kit, Shell, asked_of_systemd, documented_peers, in_place, listed_peers, machine
from support.playbooks import Ansible, hosts_of
from support.waiting import wait_until

from env import places
from lab import Cluster, compare, losses, observe
from lab import binaries as consuls
from lab.seed import seed

KEYS = 60


def documented_inventories() -> list[dict[str, Any]]:
    """The inventories in docs/playbooks.md that say where modules run: through the API, and on a server.

    The third one keeps archives in a store, and goes with both.
    """
    text = (places.CHECKOUT / "docs" / "playbooks.md").read_text(encoding="utf-8")
    found = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
    inventories = [one["consul"] for one in found if isinstance(one, dict) and "consul" in one]
    assert [len(one) > 1 for one in inventories] == [True, True, False]
    return inventories[:2]


def wait_for_leader(shell: Shell, block: str) -> None:
    """Run step 7's first block until it prints a leader, as the kit says."""
    deadline = time.monotonic() + 60
    while '"127.0.0.1:' not in shell.run(block, code=None):
        assert time.monotonic() < deadline, "no leader"
        time.sleep(0.3)


def bootstrap_by_hand(shell: Shell, block: str) -> None:
    """Run step 7's bootstrap until the servers are ready for tokens, as the kit says; then it prints nothing."""
    deadline = time.monotonic() + 60
    while "legacy mode" in (said := shell.run(block, code=None)):
        assert time.monotonic() < deadline, said
        time.sleep(0.3)
    assert said == ""


def playbook_of(block: str) -> dict[str, Any]:
    """Return the extra variables of a printed ansible-playbook command."""
    words = shlex.split(block)
    return dict(json.loads(words[words.index("-e") + 1]))


def without_initial_management(path: Path, content: bytes) -> None:
    """Put a server's configuration of before back, in which no token is named, and no gossip key either."""
    config = json.loads(content)
    del config["acl"]["tokens"]["master"]
    del config["encrypt"]
    path.write_text(json.dumps(config), encoding="utf-8")


@pytest.fixture
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Servers of the old version that hold what real clusters hold."""
    extra = {"acl": {"enable_token_persistence": True}}
    count = request.node.callspec.params["servers"]
    with Cluster(
        tmp_path / "old", version=consuls.OLD, servers=count, name_prefix="old", gossip=True, extra_config=extra
    ) as cluster:
        seed(cluster, keys=KEYS)
        yield cluster


@pytest.mark.parametrize(("how", "servers"), [("cli", 1), pytest.param("ansible", 3, marks=pytest.mark.nightly)])
def test_back_to_the_version_of_before(how: str, servers: int, old: Cluster, tmp_path: Path) -> None:
    """Upgraded, found wanting, and brought back by the printed commands, with a new cluster's bootstrap token."""
    management = old.tokens.initial_management
    ansible = Ansible(tmp_path, [management])
    token_file = tmp_path / "snapshot.token"
    token_file.write_text(management, encoding="utf-8")
    vault = tmp_path / "vault"
    inventory = documented_inventories()[1]["vars"]
    assert set(inventory["backup_connection"]) == {"token_file"}
    hosts = {
        server.name: {
            "backup_connection": {"host": "127.0.0.1", "port": server.http_port, "token_file": str(token_file)}
        }
        for server in old.servers
    }
    inventory |= {
        "backup_dir": str(tmp_path / "kept"),
        "backup_fetch_to": str(vault),
        "backup_min_failure_tolerance": 0,
        "restore_backup_dir": str(tmp_path / "replaced"),
        "restore_wait_timeout": 60,
    }
    del inventory["backup_connection"]
    # What is of this server alone, and in no archive.
    for number, server in enumerate(old.servers):
        old.put("/v1/agent/service/register", {"ID": f"own-{number}", "Name": "own"}, server=server)
        old.put("/v1/agent/token/agent", {"Token": old.tokens.agent}, server=server)
    persisted = ["node-id", "serf/local.keyring", "acl-tokens.json", "services"]
    config = {server.name: server.config_file.read_bytes() for server in old.servers}
    node_ids = {server.name: (server.data_dir / "node-id").read_text() for server in old.servers}
    seen = observe(old)

    ansible.ok("pre_upgrade", ansible.inventory(hosts, **inventory))
    (fetched,) = (vault / "production").iterdir()
    kit = Kit(fetched)
    old.upgrade(consuls.NEW)
    old.put("/v1/kv/written-afterwards", "x")

    programs = {server.name: machine(tmp_path / f"bin-{server.name}", old.binary, server) for server in old.servers}
    (tmp_path / "terminal").mkdir()
    shell = Shell(tmp_path / "terminal", programs["old-1"], **ansible.environment())

    check, connect, ask = *kit.step(1).blocks, *kit.step(2).blocks
    assert f"{kit.archive.name}: OK" in shell.run(check)
    assert "Consul v" in shell.run(connect)
    assert shell.run(ask, management) == ""
    list_peers, trust_domain = kit.step(3).blocks
    assert listed_peers(shell.run(list_peers)) == documented_peers(kit.step(3)) == node_ids
    assert f"{old.trust_domain()}" in shell.run(trust_domain)
    assert f"`{(old.trust_domain() or '').partition('.')[0]}`" in kit.step(3).text
    # Autopilot's list is some seconds behind, and the kit says so.
    ask_versions = kit.step(4).blocks[0]
    wait_until(lambda: shell.run(ask_versions).count(consuls.NEW) == servers, "a list of the new versions")
    assert all(server.name in shell.run(ask_versions) for server in old.servers)

    find, move = kit.step(5).blocks
    for server in old.servers:
        own = Shell(tmp_path / "terminal", programs[server.name])
        own.run(in_place(find, {DATA_DIR: f"DATA_DIR={shlex.quote(str(server.data_dir))}\n"}))
        assert own.run(move) == ""
        assert asked_of_systemd(programs[server.name]) == ["stop consul"]
        for name in persisted:
            assert (server.data_dir / name).exists(), name
        assert list((server.data_dir / "raft").iterdir()) == []
        assert (server.data_dir / "raft.before-rollback" / "raft.db").exists()
    version, start = kit.step(6).blocks
    for server in old.servers:
        server.wait_stopped(10)
        machine(programs[server.name], consuls.consul(consuls.OLD))
        own = Shell(tmp_path / "terminal", programs[server.name])
        assert own.run(version).startswith(f"Consul v{consuls.OLD}\n")
        assert own.run(start) == ""
        assert asked_of_systemd(programs[server.name])[-1] == "start consul"
        without_initial_management(server.config_file, config[server.name])
        server.binary = consuls.consul(consuls.OLD)
        server.start()
    old.binary = consuls.consul(consuls.OLD)

    leader, _configured, bootstrap, list_peers = kit.step(7).blocks
    wait_for_leader(shell, leader)
    bootstrap_by_hand(shell, bootstrap)
    assert listed_peers(shell.run(list_peers)) == node_ids
    new_token = shell.run('echo "$CONSUL_HTTP_TOKEN"').strip()
    assert old.http("GET", "/v1/acl/token/self", token=new_token).status_code == 200
    assert old.http("GET", "/v1/acl/token/self").status_code == 403

    restore, ask_both, kept, fresh = kit.step(8).blocks
    assert playbook_of(kept)["restore_also_accept_risks"] == ["replace_content"]
    assert playbook_of(fresh)["restore_also_accept_risks"] == []
    if how == "cli":
        assert "Restored snapshot" in shell.run(restore)
    else:
        assert shell.run(ask_both, new_token, management) == ""
        printed = shell.run(fresh)
        assert "failed=0" in printed
        assert "all equal" in printed
        assert management not in printed
        assert new_token not in printed

    ask, look = kit.step(9).blocks
    assert shell.run(ask, management) == ""
    old.wait_ready()
    printed = shell.run(look)
    assert listed_peers(printed.rpartition("\n")[0].rpartition("\n")[0]) == node_ids
    keys = printed.split()[-1]
    assert int(keys) == len(old.get("/v1/kv/?keys"))
    assert f"the number of keys: {keys}," in kit.step(9).text
    assert losses(compare(seen, observe(old))) == []
    assert "written-afterwards" not in old.get("/v1/kv/?keys")
    for number, server in enumerate(old.servers):
        assert f"own-{number}" in old.get("/v1/agent/services", server=server)


@pytest.mark.nightly
@pytest.mark.parametrize("how", ["cli", "ansible"])
def test_the_kit_of_another_datacenter_goes_there(how: str, tmp_path: Path) -> None:
    """Made and carried out through an agent of dc1, which must not be touched."""
    with (
        Cluster(tmp_path / "dc1", servers=1, name_prefix="east", tls=True) as dc1,
        Cluster(tmp_path / "dc2", servers=1, name_prefix="west", datacenter="dc2", primary=dc1, tls=True) as dc2,
    ):
        dc1.federate(dc2)
        deadline = time.monotonic() + 30
        while not dc2.get("/v1/acl/replication")["ReplicatedTokenIndex"]:
            assert time.monotonic() < deadline, "no tokens arrive in dc2"
            time.sleep(0.1)
        for cluster in (dc1, dc2):
            cluster.put("/v1/kv/which", "before the upgrade")
        inventory = documented_inventories()[0]["vars"]
        assert dc1.authority
        inventory["backup_connection"] |= {
            "host": "127.0.0.1",
            "port": dc1.servers[0].https_port,
            "ca_path": str(dc1.authority.ca_file),
        }
        assert inventory["backup_connection"]["token"] == "{{ vault_consul_tokens[backup_cluster] }}"
        management = dc1.tokens.initial_management
        ansible = Ansible(tmp_path, [management])
        inventory |= {
            "vault_consul_tokens": {"west": management},
            "backup_cluster": "west",
            "restore_cluster": "west",
            "backup_datacenter": "dc2",
            "backup_dir": str(tmp_path / "kept"),
            "backup_min_failure_tolerance": 0,
            "restore_backup_dir": str(tmp_path / "replaced"),
        }
        ansible.ok("pre_upgrade", ansible.inventory({"gateway": {}}, **inventory))
        (made,) = (tmp_path / "kept").iterdir()
        assert re.fullmatch(r"rollback-dc2-\d{8}T\d{6}Z", made.name)
        kit = Kit(made)
        for cluster in (dc1, dc2):
            cluster.put("/v1/kv/which", "after the upgrade")

        (tmp_path / "terminal").mkdir()
        shell = Shell(tmp_path / "terminal", machine(tmp_path / "bin", dc1.binary), **ansible.environment())
        check, connect, ask = *kit.step(1).blocks, *kit.step(2).blocks
        assert f"{kit.archive.name}: OK" in shell.run(check)
        assert "Consul v" in shell.run(connect)
        assert shell.run(ask, management) == ""
        list_peers, trust_domain = kit.step(3).blocks
        assert listed_peers(shell.run(list_peers)) == documented_peers(kit.step(3))
        assert list(documented_peers(kit.step(3))) == ["west-1"]
        assert f"{dc2.trust_domain()}" in shell.run(trust_domain)
        versions = shell.run(kit.step(4).blocks[0])
        assert '"west-1"' in versions
        assert consuls.NEW in versions

        restore, ask_both, kept, _fresh = kit.step(8).blocks
        if how == "cli":
            assert "Restored snapshot" in shell.run(restore)
        else:
            shell.run(ask_both, management, management)
            printed = shell.run(kept)
            assert "failed=0" in printed
            assert "all equal" in printed
        assert dc2.get("/v1/kv/which?raw") == "before the upgrade"
        assert dc1.get("/v1/kv/which?raw") == "after the upgrade"


@pytest.mark.nightly
def test_names_do_not_get_out_of_hand(tmp_path: Path) -> None:
    """Names and paths that a shell or Markdown could take for more than names."""
    place = tmp_path / 'it\'s a $(touch pwned) `touch pwned` "place" ``` & ; *'
    place.mkdir()
    with Cluster(tmp_path / "c", servers=1, name_prefix="srv `touch pwned` $(touch pwned) ';") as cluster:
        ansible = Ansible(place, [])
        management = cluster.tokens.initial_management
        (host,) = hosts_of(cluster).values()
        inventory = ansible.inventory(
            {"ho'st`touch${IFS}pwned`": host},
            backup_cluster="my `cluster` $(touch pwned)",
            backup_dir=str(place / "kept"),
            backup_min_failure_tolerance=0,
            restore_backup_dir=str(tmp_path / "replaced"),
        )
        cluster.put("/v1/kv/which", "before")
        ansible.ok("pre_upgrade", inventory)
        (made,) = (place / "kept").iterdir()
        assert re.fullmatch(r"rollback-dc1-\d{8}T\d{6}Z", made.name)
        assert json.loads((made / "versions.json").read_text())["servers"] == {cluster.servers[0].name: consuls.NEW}
        kit = Kit(made)
        cluster.put("/v1/kv/which", "after")

        (tmp_path / "terminal").mkdir()
        shell = Shell(tmp_path / "terminal", machine(tmp_path / "bin", cluster.binary), **ansible.environment())
        check, connect, ask = *kit.step(1).blocks, *kit.step(2).blocks
        assert f"{kit.archive.name}: OK" in shell.run(check)
        shell.run(connect)
        shell.run(ask, management)
        list_peers, _trust_domain = kit.step(3).blocks
        assert listed_peers(shell.run(list_peers)) == documented_peers(kit.step(3))
        restore, ask_both, kept, _fresh = kit.step(8).blocks
        shell.run(ask_both, management, management)
        assert "all equal" in shell.run(kept)
        assert cluster.get("/v1/kv/which?raw") == "before"
        cluster.put("/v1/kv/which", "after")
        assert "Restored snapshot" in shell.run(restore)
        assert cluster.get("/v1/kv/which?raw") == "before"
    assert list(tmp_path.rglob("pwned")) == []
