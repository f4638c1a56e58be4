# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The laboratory's server configuration, on both sides of the changes in Consul's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab import ports
from lab.config import ServerPlan, ServerTLS, at_least, config_for, merged
from lab.ports import Ports, free_ports
from lab.tls import KeyPair

PORTS = Ports(http=1, https=2, grpc_tls=3, server=4, serf_lan=5, serf_wan=6)
PLAN = ServerPlan(name="server-1", datacenter="dc1", data_dir=Path("/d/data"), ports=PORTS, servers=3, join=(7, 8))
TLS = ServerTLS(ca_file=Path("/d/ca.pem"), pair=KeyPair(Path("/d/c.pem"), Path("/d/k.pem")))


@pytest.mark.parametrize(
    ("version", "minor", "newer"),
    [("1.22.7", "1.8", True), ("1.8.7", "1.8", True), ("1.8.7", "1.14", False), ("2.0.1", "1.22", True)],
)
def test_versions_compare_by_number(version: str, minor: str, newer: bool) -> None:
    assert at_least(version, minor) is newer


def test_a_plain_server_listens_on_loopback_only() -> None:
    config = config_for("1.22.7", PLAN)
    assert config["bind_addr"] == config["client_addr"] == "127.0.0.1"
    assert config["addresses"] == {"http": "127.0.0.1"}
    assert config["ports"] == {
        "http": 1,
        "https": -1,
        "grpc_tls": 3,
        "server": 4,
        "serf_lan": 5,
        "serf_wan": 6,
        "dns": -1,
        "grpc": -1,
    }
    assert config["retry_join"] == ["127.0.0.1:7", "127.0.0.1:8"]
    assert not {"acl", "encrypt", "tls", "primary_datacenter"} & config.keys()


def test_an_old_server_does_not_know_all_ports() -> None:
    assert "grpc_tls" not in config_for("1.8.7", PLAN)["ports"]


@pytest.mark.parametrize(("version", "management"), [("1.22.7", "initial_management"), ("1.8.7", "master")])
def test_acl_tokens_have_two_names(version: str, management: str) -> None:
    plan = replace(PLAN, acl=True, initial_management="m", agent_token="a")
    acl = config_for(version, plan)["acl"]
    assert acl["tokens"] == {management: "m", "agent": "a"}
    assert acl["default_policy"] == "deny"
    assert acl["enable_token_replication"] is False


def test_a_secondary_copies_tokens() -> None:
    plan = replace(PLAN, acl=True, agent_token="a", replication_token="r", primary_datacenter="dc0")
    config = config_for("1.22.7", plan)
    assert config["primary_datacenter"] == "dc0"
    assert config["acl"]["tokens"] == {"agent": "a", "replication": "r"}
    assert config["acl"]["enable_token_replication"] is True


@pytest.mark.parametrize("client_certs", [False, True])
def test_tls_of_new_servers(client_certs: bool) -> None:
    config = config_for("1.22.7", replace(PLAN, tls=replace(TLS, https_client_certs=client_certs)))
    assert config["tls"]["internal_rpc"] == {"verify_incoming": True, "verify_server_hostname": True}
    assert config["tls"]["https"] == {"verify_incoming": client_certs}
    assert config["tls"]["defaults"]["ca_file"] == "/d/ca.pem"
    assert config["ports"]["https"] == 2


@pytest.mark.parametrize("client_certs", [False, True])
def test_tls_of_old_servers(client_certs: bool) -> None:
    config = config_for("1.8.7", replace(PLAN, tls=replace(TLS, https_client_certs=client_certs)))
    assert "tls" not in config
    assert config["verify_incoming_rpc"] is True
    assert config["verify_incoming_https"] is client_certs
    assert config["key_file"] == "/d/k.pem"


def test_without_the_http_port_a_unix_socket_still_needs_it_on() -> None:
    socket = Path("/d/http.sock")
    alone = config_for("1.22.7", replace(PLAN, http=False, unix_socket=socket))
    assert alone["addresses"] == {"http": "unix:///d/http.sock"}
    assert alone["ports"]["http"] == 1
    both = config_for("1.22.7", replace(PLAN, unix_socket=socket))
    assert both["addresses"] == {"http": "127.0.0.1 unix:///d/http.sock"}
    assert config_for("1.22.7", replace(PLAN, http=False))["ports"]["http"] == -1


def test_extra_configuration_is_laid_over() -> None:
    config = config_for("1.22.7", replace(PLAN, extra={"ports": {"dns": 9}, "log_level": "DEBUG"}))
    assert config["ports"]["dns"] == 9
    assert config["ports"]["http"] == 1
    assert config["log_level"] == "DEBUG"


def test_merging_changes_neither_side() -> None:
    base, extra = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(base, extra) == {"a": {"b": 1, "c": 2}}
    assert (base, extra) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def test_ports_are_never_given_twice() -> None:
    given = [port for _call in range(20) for port in free_ports().to_dict().values()]
    assert len(given) == len(set(given))


def test_processes_side_by_side_keep_to_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_range", ports._range)
    given = []
    for part in range(4):
        ports.keep_to(part, 4)
        given.append({port for _call in range(20) for port in free_ports().to_dict().values()})
    assert [max(one) < min(other) for one, other in zip(given, given[1:])] == [True, True, True]
    assert min(map(min, given)) >= ports.FIRST
    assert max(map(max, given)) <= ports.LAST
