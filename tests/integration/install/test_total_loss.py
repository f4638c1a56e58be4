# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/total_loss.md carried out block by block: a cluster, its machines and its controller are lost, and come back."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import aws, keys, pages, stores
from support.bare import Machine, network
from support.calls import Calls
from support.kits import Shell, in_place
from support.stores import VersityGw
from support.waiting import wait_until

from env import artifact, places
from lab import Cluster, compare, observe
from lab.access import Access
from lab.readiness import wait_ready
from lab.seed import seed

PAGE = places.CHECKOUT / "docs" / "total_loss.md"
BUCKET, PREFIX = "consul-backups", "production/"
SERVERS = ("new-1", "new-2", "new-3")
AGENT, SERVICE = "stays-1", "stays"
BLOCKS = {
    "1. Before it happens": ["shell"],
    "2. A new controller": ["shell", "shell"],
    "3. The archive, and its Consul": ["shell", "shell"],
    "4. New servers": ["shell", "hcl", "shell", "shell", "shell"],
    "5. Restore, and the proof": ["yaml", "shell", "shell"],
    "6. Agents": ["shell", "shell"],
    "7. Backups again": ["shell", "shell"],
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersityGw]:
    with stores.running("versitygw", tmp_path_factory.mktemp("versitygw")) as server:
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture
def machines() -> Iterator[list[Machine]]:
    """Those of this test; they are stopped at its end."""
    made: list[Machine] = []
    yield made
    for one in made:
        one.kill()


class Reader:
    """Somebody with a page, a safe, a store and bare machines, all on this one."""

    def __init__(self, directory: Path, store: VersityGw, consul: Path) -> None:
        self.directory, self.network = directory, network()
        self.keys, self.home, self.python = directory / "keys", directory / "home", directory / "python"
        self.reports = directory / "reports"
        programs = directory / "bin"
        for made in (self.keys, self.home, programs):
            made.mkdir()
        (programs / "consul").symlink_to(consul)
        for name in ("age", "age-keygen"):
            (programs / name).symlink_to(keys.programs() / name)
        aws.install(programs)
        self.systemctl = programs / "systemctl.calls"
        stub = programs / "systemctl"
        stub.write_text(f'#!/bin/sh\necho "$@" >> "{self.systemctl}"\n', encoding="utf-8")
        stub.chmod(0o755)
        self._shell = Shell(
            self.home,
            programs,
            AWS_ENDPOINT_URL=store.endpoint,
            AWS_CONFIG_FILE=str(self.home / "none"),
            PIP_NO_COMPILE="1",
        )
        # A controller that nobody has set up, but for where pip finds packages: that is in the home directory.
        nothing = "unset ${!ANSIBLE_@} ${!AWS_ACCESS@} ${!AWS_SECRET@} PYTHONPATH"
        self._shell.run(f"{nothing}; export ANSIBLE_HOME={self.home}/.ansible ANSIBLE_REMOTE_TMP={self.home}/remote")
        self.printed = ""

    def here(self, text: str, consul_d: Path | None = None) -> str:
        """Return a text of the page with what is this reader's own in it."""
        own = {
            "/etc/consul-backup": str(self.keys),
            "/opt/consul-backup": str(self.python),
            "/var/lib/consul-rehearsal": str(self.reports),
            "10.0.0.": self.network,
        }
        if consul_d is not None:
            own["/etc/consul.d"] = str(consul_d)
        for old, new in own.items():
            text = text.replace(old, new)
        return text

    def types(self, block: str, *typed: str, consul_d: Path | None = None, code: int = 0) -> str:
        """Type commands, and return what they print."""
        told = self._shell.run(self.here(block, consul_d), *typed, code=code)
        self.printed += told
        return told


def blocks() -> dict[str, list[str]]:
    found = {heading: pages.blocks(pages.section(PAGE, heading)) for heading in BLOCKS}
    shape = {heading: [block.language for block in listed] for heading, listed in found.items()}
    assert shape == BLOCKS, "a block was added: carry it out below"
    everything = pages.blocks(PAGE.read_text(encoding="utf-8"))
    assert len(everything) == sum(map(len, found.values())), "a block is in a section that is not carried out"
    return {heading: [block.text for block in listed] for heading, listed in found.items()}


def result_of(printed: str) -> dict[str, Any]:
    """Return the result in what ``ansible`` prints for one host."""
    assert "SUCCESS =>" in printed, printed
    found: dict[str, Any] = json.loads(printed[printed.index("{") :])
    return found


def write_keys(reader: Reader) -> None:
    """Make the keys of sealing.md, which are in the safe; the one that signs is lost with the controller."""
    own, escrow = (keys.age_key(reader.keys / name) for name in ("key.txt", "escrow.txt"))
    (reader.keys / "recipients.txt").write_text(f"{own.public}\n{escrow.public}\n", encoding="utf-8")
    signing = keys.ssh_key(reader.keys / "signing_key")
    keys.allowed_signers(reader.keys / "allowed_signers", ('backup@example namespaces="consul-snapshot"', signing))


def write_configuration(consul_d: Path, hcl: str, cluster: Cluster, *, server: bool) -> None:
    """Write what an operator wrote once: the page's configuration, with the cluster's gossip key and CA."""
    consul_d.mkdir(parents=True)
    assert cluster.authority is not None
    assert cluster.gossip_key is not None
    issued = consul_d.with_name(f"{consul_d.name}-tls")
    pair = cluster.authority.server(issued, "dc1") if server else cluster.authority.client(issued)
    for source, name in ((cluster.authority.ca_file, "ca"), (pair.cert, "server"), (pair.key, "server-key")):
        shutil.copy(source, consul_d / f"{name}.pem")
    (consul_d / "consul.hcl").write_text(in_place(hcl, {"GOSSIP_KEY": cluster.gossip_key}), encoding="utf-8")


def new_agent(reader: Reader, hcl: str, cluster: Cluster) -> Machine:
    """Return an agent of the cluster, on a machine that will be left, with a service and a token of its own."""
    identities = {
        "NodeIdentities": [{"NodeName": AGENT, "Datacenter": "dc1"}],
        "ServiceIdentities": [{"ServiceName": SERVICE}],
    }
    token = cluster.put("/v1/acl/token", identities)["SecretID"]
    machine = Machine(
        AGENT,
        reader.directory / AGENT,
        cluster.binary,
        f"{reader.network}51",
        retry_join=[f"127.0.0.1:{one.ports.serf_lan}" for one in cluster.servers],
        acl={"tokens": {"agent": token, "default": token}},
        services=[{"name": SERVICE, "port": 80}],
    )
    write_configuration(machine.consul_d, hcl, cluster, server=False)
    machine.settle({"/etc/consul.d": str(machine.consul_d)})
    return machine


def nodes_of_the_service(access: Access) -> list[str]:
    return [one["Node"] for one in access.get(f"/v1/catalog/service/{SERVICE}")]


def members(access: Access) -> dict[str, int]:
    """Return the status of each agent in the gossip pool by name; 1 is alive."""
    return {one["Name"]: one["Status"] for one in access.get("/v1/agent/members")}


def keys_of(access: Access) -> list[str]:
    response = access.http("GET", "/v1/kv/?keys")
    return list(response.json()) if response.status_code == 200 else []


def refuse_planted_configuration(reader: Reader, store: VersityGw, fetch: str) -> None:
    """Be somebody who may write to the store, and knows the recipients, which are public: nothing of it is unpacked."""
    key = "config/production.tar.gz.age"
    kept = store.objects(BUCKET)[key]
    recipients = (reader.keys / "recipients.txt").read_text(encoding="utf-8").split()
    store.client().put_object(Bucket=BUCKET, Key=key, Body=keys.age_encrypt(b"planted", *recipients))
    assert "Could not verify signature" in reader.types(fetch, code=255)
    (reader.home / "consul.d").rmdir()
    store.client().put_object(Bucket=BUCKET, Key=key, Body=kept)


@pytest.mark.nightly
def test_from_bare_machines_to_a_proven_cluster(
    tmp_path: Path, gateway: VersityGw, calls: Calls, machines: list[Machine]
) -> None:
    page = blocks()
    (keep,) = page["1. Before it happens"]
    fetch, hcl, configure, start, look = page["4. New servers"]
    with Cluster(tmp_path / "lost", servers=1, name_prefix="lost", tls=True, gossip=True) as lost:
        reader = Reader(tmp_path, gateway, lost.binary)
        write_keys(reader)
        seed(lost, keys=50)
        agent = new_agent(reader, hcl, lost)
        machines.append(agent)
        agent.start()
        wait_until(lambda: nodes_of_the_service(lost) == [AGENT], "the agent registers its service")
        before = observe(lost)
        saved = calls.ok(
            lost,
            "snapshot_save",
            dest=f"s3://{BUCKET}/{PREFIX}",
            cluster="production",
            store=gateway.options(),
            encrypt_to_file=str(reader.keys / "recipients.txt"),
            signing_key=str(reader.keys / "signing_key"),
        )
        # 1: the configuration of a server is kept as well.
        write_configuration(tmp_path / "etc", hcl, lost, server=True)
        credentials = f"export AWS_ACCESS_KEY_ID={gateway.access_key} AWS_SECRET_ACCESS_KEY={gateway.secret_key}\n"
        reader.types(credentials + keep, consul_d=tmp_path / "etc")
        reader.types("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; rm consul.d.tar.gz.age*")
        lost.kill()
        lost.wipe()
    for gone in (tmp_path / "lost", tmp_path / "etc"):
        shutil.rmtree(gone)
    for name in ("signing_key", "signing_key.pub", "escrow.txt"):
        (reader.keys / name).unlink()

    # 2: a controller, with the collection as it is built.
    artifact.build(tmp_path)
    (built,) = tmp_path.glob("*.tar.gz")
    install, credentials = page["2. A new controller"]
    name = "collection install disaster_recovery.consul"
    reader.types(in_place(install, {name: f"collection install {built}"}))
    reader.types(in_place(credentials, {"eu-central-1": gateway.region}), gateway.access_key, gateway.secret_key)

    # 3: what there is.
    newest, opens = page["3. The archive, and its Consul"]
    (archive,) = result_of(reader.types(newest))["archives"]
    assert archive["path"] == saved["dest"]
    assert (archive["signed_by"], archive["cluster"]["datacenter"]) == ("backup@example", "dc1")
    assert archive["cluster"]["consul_version"] == lost.version
    shown = result_of(reader.types(in_place(opens, {"ARCHIVE": archive["path"].rpartition("/")[2]})))
    assert (shown["sealed"], shown["signed_by"]) == (True, "backup@example")

    # 4: three servers that hold nothing.
    refuse_planted_configuration(reader, gateway, fetch)
    reader.types(fetch)
    reader.types(configure)
    unpacked = reader.home / "consul.d"
    for private in (unpacked, *unpacked.iterdir(), reader.keys / "recovery.token"):
        assert private.stat().st_mode & 0o077 == 0
    for number, name in enumerate(SERVERS, 11):
        machine = Machine(name, tmp_path / name, lost.binary, f"{reader.network}{number}")
        machines.append(machine)
        shutil.copytree(reader.home / "consul.d", machine.consul_d)
        machine.settle({"/etc/consul.d": str(machine.consul_d), "/opt/consul": str(machine.data_dir)})
        reader.types(start, consul_d=machine.consul_d)
        machine.start()
    token = (reader.keys / "recovery.token").read_text(encoding="utf-8").strip()
    new = Access(binary=lost.binary, servers=list(machines[1:]), tls=None, token_file=reader.keys / "recovery.token")
    wait_ready(new, timeout=90, acl=True, connect=True)
    assert all(server.data_dir.exists() and not nodes_of_the_service(new) for server in new.servers)
    listed = reader.types(look)
    assert all(name in listed for name in SERVERS)
    assert listed.count("follower") == 2

    # 5: nothing is sent by a look; then it is restored, and proven.
    inventory, check, restore = page["5. Restore, and the proof"]
    (reader.home / "new-servers.yml").write_text(reader.here(inventory), encoding="utf-8")
    assert "would be restored" in reader.types(check)
    assert not keys_of(new)
    reader.types(restore)
    assert len(keys_of(new)) > 50
    after = observe(new)
    # The new token is there beside those of the archive.
    del after["acl-tokens"][new.get("/v1/acl/token/self")["AccessorID"]]
    rows = [row for row in compare(before, after) if row.durable]
    assert sum(row.after for row in rows) > 50
    assert [row.type for row in rows if not row.equal] == []
    again = reader.types(restore)
    assert set(re.findall(r"changed=(\d+)", again)) == {"0"}

    # 6: the agent that is left finds its servers, with its old token.
    rejoin, listing = page["6. Agents"]
    reader.types(rejoin, consul_d=agent.consul_d)
    agent.stop()
    settings = agent.settings()
    del settings["retry_join"]
    agent.configure(settings)
    agent.start()
    # The archive holds the service as well, so it is the agent itself that has to be there, alive.
    wait_until(lambda: {AGENT: 1}.items() <= members(new).items(), "the agent joins the new servers")
    wait_until(lambda: nodes_of_the_service(new) == [AGENT], "the agent registers its service anew", 60)
    assert reader.types(listing).count(AGENT) == 2
    assert reader.systemctl.read_text(encoding="utf-8").splitlines() == ["start consul"] * 3 + ["restart consul"]

    # 7: backups, signed by the new key, and a rehearsal of the newest.
    sign, protect = page["7. Backups again"]
    reader.types(sign)
    reader.types(protect)
    names = sorted(name for name in gateway.objects(BUCKET) if name.endswith(".snap.age"))
    assert len(names) == 2
    manifest, signature = (gateway.objects(BUCKET)[f"{names[-1]}.manifest.json{end}"] for end in ("", ".sig"))
    (tmp_path / "sig").write_bytes(signature)
    assert keys.is_signed_by(manifest, tmp_path / "sig", reader.keys / "allowed_signers", "backup@new")
    report = json.loads((reader.reports / "report.json").read_text(encoding="utf-8"))
    rehearsed = [(one["archive"], one["verdict"]) for row in report["clusters"] for one in row["rehearsals"]]
    assert rehearsed == [(f"s3://{BUCKET}/{names[-1]}", "proven")]
    assert (reader.reports / "report.html").exists()
    for secret in (token, gateway.secret_key, (reader.keys / "key.txt").read_text("utf-8").split()[-1]):
        assert secret not in reader.printed
