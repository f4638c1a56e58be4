# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to reach Consul, by options and by environment, on real servers that demand what they demand."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.calls import Calls, run_in
from support.modules import Runner
from support.scene import check_decent

from lab import Cluster, Server, binaries
from lab.comparison import compare, losses, table
from lab.oracle import observe
from lab.ports import LOOPBACK, free_ports

SERVER_NAME = "server.dc1.consul"
UNKNOWN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def secure(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    """A server that offers plain HTTP, HTTPS to those who show a certificate of its CA, and a Unix socket."""
    return shared_cluster(
        version=version, tls=True, https_client_certs=True, unix_socket=True, gossip=True, name_prefix="secure"
    )


@pytest.fixture(scope="module")
def places(secure: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What options and variables of the tables below stand for."""
    server, tls = secure.servers[0], secure.client_tls
    assert tls is not None
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    both.touch(mode=0o600)
    both.write_bytes(tls.pair.cert.read_bytes() + tls.pair.key.read_bytes())
    return {
        "HTTP": server.http_port,
        "HTTPS": server.https_port,
        "SOCKET": str(server.unix_socket),
        "CA": str(tls.ca_file),
        "CERT": str(tls.pair.cert),
        "KEY": str(tls.pair.key),
        "BOTH": str(both),
        "TOKEN": secure.tokens.initial_management,
        "TOKEN_FILE": str(secure.token_file),
    }


def filled(told: dict[str, Any], places: dict[str, Any]) -> dict[str, Any]:
    """Return options or variables with the names of places replaced, whole or within {}."""
    return {
        name: places.get(value, value.format(**places)) if isinstance(value, str) else value
        for name, value in told.items()
    }


MUTUAL = {"scheme": "https", "port": "HTTPS", "ca_path": "CA", "client_cert": "CERT", "client_key": "KEY"}
WAYS: dict[str, dict[str, Any]] = {
    "http": {"port": "HTTP"},
    "http by name": {"host": "localhost", "port": "HTTP"},
    "mutual TLS": MUTUAL,
    "mutual TLS, certificate and key in one file": {**MUTUAL, "client_cert": "BOTH", "client_key": None},
    "mutual TLS by name": {**MUTUAL, "host": "localhost"},
    "mutual TLS, another name": {**MUTUAL, "tls_server_name": SERVER_NAME},
    "mutual TLS, nothing checked": {**MUTUAL, "ca_path": None, "validate_certs": False},
    "socket": {"host": None, "port": None, "unix_socket": "SOCKET"},
    "token file": {"port": "HTTP", "token": None, "token_file": "TOKEN_FILE"},
}


@pytest.mark.every_version
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_options(way: dict[str, Any], secure: Cluster, places: dict[str, Any], runner: Runner, tmp_path: Path) -> None:
    told = {"host": LOOPBACK, "token": "TOKEN", "dest": str(tmp_path), **way}
    options = {name: value for name, value in filled(told, places).items() if value is not None}
    for changed in (True, False):
        outcome = runner.run("snapshot_save", **options)
        check_decent(outcome, [places["TOKEN"]])
        assert not outcome.failed, outcome.result
        assert outcome.result["changed"] is changed
    assert outcome.result["cluster"]["id"] == (secure.trust_domain() or "").partition(".")[0]
    # The archive, its manifest, and the confirmation of the second run.
    assert len(list(tmp_path.glob("*.snap"))) == 1
    assert len(list(tmp_path.iterdir())) == 3


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no client certificate": ({**MUTUAL, "client_cert": None, "client_key": None}, "connection"),
    "the CA is not known": ({**MUTUAL, "ca_path": None}, "connection"),
    "another name": ({**MUTUAL, "tls_server_name": "example.org"}, "connection"),
    "plain HTTP to HTTPS": ({"port": "HTTPS"}, "wrong_scheme"),
    "HTTPS to plain HTTP": ({**MUTUAL, "port": "HTTP"}, "connection"),
    "no socket there": ({"host": None, "unix_socket": "/nowhere/consul.sock"}, "connection"),
    "a token nobody knows": ({"port": "HTTP", "token": UNKNOWN}, "token_unknown"),
}


@pytest.mark.parametrize(("way", "kind"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_lead_there(
    way: dict[str, Any], kind: str, places: dict[str, Any], runner: Runner, tmp_path: Path
) -> None:
    told = {"host": LOOPBACK, "token": "TOKEN", "dest": str(tmp_path), "retries": 0, **way}
    options = {name: value for name, value in filled(told, places).items() if value is not None}
    outcome = runner.run("snapshot_save", **options)
    check_decent(outcome, [places["TOKEN"]])

    assert outcome.failed
    assert outcome.failure["kind"] == kind, outcome.result["msg"]
    assert outcome.failure["hint"]
    assert list(tmp_path.iterdir()) == []


NOT_TOGETHER: dict[str, tuple[dict[str, Any], str]] = {
    "two tokens": ({"token": UNKNOWN, "token_file": "/t"}, "mutually exclusive: token|token_file"),
    "socket and host": ({"unix_socket": "/s", "host": "localhost"}, "mutually exclusive: unix_socket|host"),
    "socket and port": ({"unix_socket": "/s", "port": 8500}, "mutually exclusive: unix_socket|port"),
    "socket and scheme": ({"unix_socket": "/s", "scheme": "http"}, "mutually exclusive: unix_socket|scheme"),
    "key without certificate": ({"client_key": "/k"}, "client_cert"),
    "no such scheme": ({"scheme": "ftp"}, "value of scheme must be one of"),
}


@pytest.mark.parametrize(("options", "words"), NOT_TOGETHER.values(), ids=NOT_TOGETHER)
@pytest.mark.parametrize("module", ["cluster_info", "snapshot_save", "snapshot_restore"])
def test_options_that_contradict_each_other(module: str, options: dict[str, Any], words: str, runner: Runner) -> None:
    own = {"snapshot_save": {"dest": "/nowhere/"}, "snapshot_restore": {"src": "/nowhere"}}.get(module, {})
    outcome = runner.run(module, **own, **options)

    assert outcome.failed
    assert words in outcome.result["msg"]


PAPERS = {"CONSUL_CACERT": "{CA}", "CONSUL_CLIENT_CERT": "{CERT}", "CONSUL_CLIENT_KEY": "{KEY}"}
HTTPS = {"CONSUL_HTTP_ADDR": "https://127.0.0.1:{HTTPS}", **PAPERS}
SECRET = {"CONSUL_HTTP_TOKEN": "{TOKEN}"}
ENVIRONMENTS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "address and token": ({"CONSUL_HTTP_ADDR": "127.0.0.1:{HTTP}", **SECRET}, {}),
    "address as a URL, token in a file": (
        {"CONSUL_HTTP_ADDR": "http://127.0.0.1:{HTTP}", "CONSUL_HTTP_TOKEN_FILE": "{TOKEN_FILE}"},
        {},
    ),
    "HTTPS": ({**HTTPS, **SECRET}, {}),
    "HTTPS by CONSUL_HTTP_SSL": (
        {**PAPERS, **SECRET, "CONSUL_HTTP_ADDR": "127.0.0.1:{HTTPS}", "CONSUL_HTTP_SSL": "1"},
        {},
    ),
    "HTTPS, another name": ({**HTTPS, **SECRET, "CONSUL_TLS_SERVER_NAME": SERVER_NAME}, {}),
    "HTTPS, nothing checked": ({**HTTPS, **SECRET, "CONSUL_CACERT": "", "CONSUL_HTTP_SSL_VERIFY": "false"}, {}),
    "socket": ({"CONSUL_HTTP_ADDR": "unix://{SOCKET}", **SECRET}, {}),
    "options win": (
        {"CONSUL_HTTP_ADDR": "127.0.0.1:1", "CONSUL_HTTP_TOKEN": UNKNOWN},
        {"host": LOOPBACK, "port": "HTTP", "token": "TOKEN"},
    ),
    "a token file wins": (
        {"CONSUL_HTTP_ADDR": "127.0.0.1:{HTTP}", "CONSUL_HTTP_TOKEN": UNKNOWN},
        {"token_file": "TOKEN_FILE"},
    ),
    "other programs' variables don't count": (
        {"CONSUL_HTTP_ADDR": "127.0.0.1:{HTTP}", **SECRET, "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "",
         "REQUESTS_CA_BUNDLE": "/nowhere"},
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("version", [binaries.NEW], indirect=True)
@pytest.mark.parametrize(("variables", "options"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_environment(
    variables: dict[str, str], options: dict[str, Any], secure: Cluster, places: dict[str, Any]
) -> None:
    outcome = run_in(filled(variables, places), "cluster_info", **filled(options, places))

    assert not outcome.failed, outcome.result
    assert outcome.result["permissions"]["snapshot"] is True
    assert f"{outcome.result['cluster_id']}.consul" == secure.trust_domain()
    assert places["TOKEN"] not in outcome.stdout


def test_a_restore_over_each(
    golden: Any, secure: Cluster, places: dict[str, Any], calls: Calls, tmp_path: Path
) -> None:
    target = secure
    for number, name in enumerate(("mutual TLS", "socket")):
        way = filled(WAYS[name], places)
        target.http("PUT", f"/v1/kv/before/{number}", data=b"x", check=True)
        told = {"src": str(golden.path), "accept_risks": ["replace_content"], "backup_dir": str(tmp_path), **way}
        done = calls.ok(target, "snapshot_restore", **told)
        assert done["changed"]
        assert target.http("GET", f"/v1/kv/before/{number}").status_code == 404
        rows = compare(golden.seen, observe(target))
        assert not losses(rows), table(rows)
        assert not calls.ok(target, "snapshot_restore", **told)["changed"]


def listening(cluster: Cluster, agent: Server, seconds: float = 30) -> None:
    """Wait until an agent answers and knows the leader."""
    deadline = time.monotonic() + seconds
    agent.wait_listening(deadline)
    leader = f'"{cluster.servers[0].rpc_address}"'
    while True:
        with contextlib.suppress(requests.RequestException):
            if cluster.http("GET", "/v1/status/leader", server=agent).text.strip() == leader:
                return
        assert time.monotonic() < deadline, agent.log_tail()
        time.sleep(0.1)


@pytest.fixture
def behind(fresh: Callable[..., Cluster], tmp_path: Path) -> Iterator[tuple[Cluster, Server]]:
    """A cluster and a client agent of it, the kind that runs on every host."""
    cluster = fresh()
    cluster.create_agent_token()
    client = Server(name="client", directory=tmp_path / "client", binary=cluster.binary, ports=free_ports())
    config = json.loads(cluster.servers[0].config_file.read_text())
    ports = {"http": client.http_port, "serf_lan": client.ports.serf_lan, "server": client.ports.server}
    client.configure(
        {
            **{name: config[name] for name in ("acl", "datacenter", "bind_addr", "client_addr", "gossip_lan")},
            "server": False,
            "node_name": "client",
            "data_dir": str(client.data_dir),
            "retry_join": [f"{LOOPBACK}:{cluster.servers[0].ports.serf_lan}"],
            "ports": {**dict.fromkeys(config["ports"], -1), **ports},
        }
    )
    client.start()
    try:
        listening(cluster, client)
        yield cluster, client
    finally:
        client.kill()  # leaving in good order takes it five seconds


def test_through_a_client_agent(behind: tuple[Cluster, Server], golden: Any, calls: Calls, tmp_path: Path) -> None:
    cluster, client = behind
    dest = tmp_path / "backups"
    dest.mkdir()
    told = calls.ok(cluster, "cluster_info", server=client)
    assert (told["voters"], told["healthy"], told["applied_index"]) == (1, True, None)
    assert told["servers"][0]["name"] == cluster.servers[0].name

    cluster.http("PUT", "/v1/kv/here", data=b"x", check=True)
    saved = calls.ok(cluster, "snapshot_save", server=client, dest=str(dest))
    assert saved["cluster"]["id"] == (cluster.trust_domain() or "").partition(".")[0]
    assert not calls.ok(cluster, "snapshot_save", server=client, dest=str(dest))["changed"]

    risks = {"accept_risks": ["replace_content"], "backup_dir": str(dest)}
    done = calls.ok(cluster, "snapshot_restore", server=client, src=str(golden.path), **risks)
    assert done["changed"]
    rows = compare(golden.seen, observe(cluster))
    assert not losses(rows), table(rows)
