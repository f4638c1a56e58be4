# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as people write them, a proxy with a path and a password, and CAs in a directory: on real servers."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from support.answers import says
from support.calls import Calls, run_in
from support.faults import Fault, FaultServer, Request, pass_on
from support.scene import check_decent

from lab import Cluster
from lab.ports import LOOPBACK

PREFIX, USER, PASSWORD = "/some/consul", "backup", "s3:cr3t-of-the-proxy"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Proxy(FaultServer):
    """A reverse proxy that serves Consul's API below a path, to those who know the password."""

    def _next_fault(self, request: Request) -> Fault:
        if request.headers.get("authorization") != f"Basic {BASIC}":
            # As some debugging proxies do, it shows what it was sent.
            return says(401, f"who are you? {request.headers}", WWW_Authenticate='Basic realm="x"')
        if not request.path.startswith(f"{PREFIX}/"):
            return says(404, "no such place")
        inner = request._replace(path=request.path[len(PREFIX) :])
        inner.headers.pop("authorization")
        ready = super()._next_fault(inner)

        def fault(exchange: Any) -> None:
            exchange.request = inner
            ready(exchange)

        return fault if ready is pass_on else ready


@pytest.fixture(scope="module")
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """A server to look at."""
    return shared_cluster(name_prefix="addresses")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signed the proxy's certificate."""
    return trustme.CA()


@pytest.fixture
def plain(cluster: Cluster) -> Iterator[Proxy]:
    """The proxy without TLS."""
    with Proxy(cluster.servers[0].address("http")) as proxy:
        yield proxy


@pytest.fixture
def secure(cluster: Cluster, authority: trustme.CA) -> Iterator[Proxy]:
    """The proxy with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK).configure_cert(context)
    with Proxy(cluster.servers[0].address("http"), tls=context) as proxy:
        yield proxy


def token(cluster: Cluster) -> str:
    assert cluster.tokens.initial_management
    return cluster.tokens.initial_management


@pytest.mark.parametrize(
    "host", ["{}:{}", "http://{}:{}", "http://{}:{}/", "[::ffff:{}]:{}"], ids=["plain", "URL", "slash", "IPv6"]
)
def test_a_host_with_its_port(cluster: Cluster, calls: Calls, host: str) -> None:
    told = host.format(LOOPBACK, cluster.servers[0].http_port)
    assert calls.ok(None, "cluster_info", host=told, token=token(cluster))["healthy"]


@pytest.mark.parametrize(("host", "url"), [("http://{}", "http://{}:80"), ("https://{}", "https://{}:443")])
def test_an_address_without_a_port_means_what_it_means_to_the_cli(
    cluster: Cluster, calls: Calls, host: str, url: str
) -> None:
    address, expected = host.format(LOOPBACK), url.format(LOOPBACK)
    # Nobody is there; where both went to is in what they say.
    variables = {"CONSUL_HTTP_ADDR": address}
    outcome = run_in(variables, "cluster_info", retries=0)
    by_option = calls.fails(None, "cluster_info", "connection", host=address, retries=0)
    said = subprocess.run(
        [str(cluster.binary), "catalog", "nodes"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    ).stderr

    assert f"dial tcp {expected.partition('//')[2]}" in said
    assert outcome.failed
    assert expected in outcome.result["msg"]
    assert expected in by_option["msg"]


@pytest.mark.every_version
@pytest.mark.parametrize("where", ["variable", "host"])
def test_a_proxy_with_a_path_and_a_password(
    cluster: Cluster, secure: Proxy, authority: trustme.CA, tmp_path: Path, where: str
) -> None:
    ca, dest = tmp_path / "ca.pem", tmp_path / "kept"
    authority.cert_pem.write_to_path(str(ca))
    dest.mkdir()
    address = f"https://{LOOPBACK}:{secure.port}{PREFIX}"
    variables = {"CONSUL_HTTP_AUTH": f"{USER}:{PASSWORD}", "CONSUL_HTTP_TOKEN": token(cluster)}
    options: dict[str, Any] = {"dest": str(dest), "ca_path": str(ca)}
    if where == "host":
        options["host"] = address
    else:
        variables["CONSUL_HTTP_ADDR"] = address
    for changed in (True, False):
        outcome = run_in(variables, "snapshot_save", **options)
        check_decent(outcome, [token(cluster), PASSWORD, BASIC])
        assert not outcome.failed, outcome.result
        assert outcome.result["changed"] is changed
    assert all(one.path.startswith(f"{PREFIX}/v1/") or "authorization" not in one.headers for one in secure.requests)
    (archive,) = dest.glob("*.snap")
    shown = subprocess.run(
        [str(cluster.binary), "snapshot", "inspect", str(archive)], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("auth", ["", f"{USER}:wrong-{PASSWORD}", f"another:{PASSWORD}"])
def test_a_proxy_that_lets_nobody_in(cluster: Cluster, plain: Proxy, auth: str) -> None:
    variables = {
        "CONSUL_HTTP_ADDR": f"http://{LOOPBACK}:{plain.port}{PREFIX}",
        "CONSUL_HTTP_AUTH": auth,
        "CONSUL_HTTP_TOKEN": token(cluster),
    }
    outcome = run_in(variables, "snapshot_save", dest="/tmp/", retries=0)
    sent = base64.b64encode(auth.encode()).decode() or PASSWORD
    check_decent(outcome, [token(cluster), auth.partition(":")[2] or PASSWORD, sent])
    assert outcome.failure["kind"] == "proxy_auth", outcome.result["msg"]
    assert "CONSUL_HTTP_AUTH" in outcome.failure["hint"]


def test_which_of_two_tokens_counts_is_as_with_the_cli(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{token(cluster)}\n", encoding="ascii")
    variables = {
        "CONSUL_HTTP_ADDR": f"{LOOPBACK}:{cluster.servers[0].http_port}",
        "CONSUL_HTTP_TOKEN": "11111111-2222-3333-4444-555555555555",
        "CONSUL_HTTP_TOKEN_FILE": str(file),
    }
    cli = subprocess.run(
        [str(cluster.binary), "acl", "token", "read", "-self"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    assert cli.returncode == 0, cli.stderr
    outcome = run_in(variables, "cluster_info")
    assert not outcome.failed, outcome.result
    assert outcome.result["permissions"]["snapshot"] is True


@pytest.mark.parametrize("place", ["option", "variable"])
def test_a_token_with_a_newline(cluster: Cluster, calls: Calls, place: str) -> None:
    port = cluster.servers[0].http_port
    told = f"{token(cluster)}\n"
    if place == "option":
        done = calls.ok(None, "cluster_info", host=LOOPBACK, port=port, token=told)
    else:
        outcome = run_in({"CONSUL_HTTP_TOKEN": told}, "cluster_info", host=LOOPBACK, port=port)
        check_decent(outcome, [token(cluster)])
        done = outcome.result
    assert done["permissions"]["snapshot"] is True


@pytest.fixture
def directory(authority: trustme.CA, tmp_path: Path) -> Path:
    """CA certificates as people collect them: plain names, a folder, notes beside them; nothing is hashed."""
    place = tmp_path / "cas"
    (place / "more").mkdir(parents=True)
    trustme.CA().cert_pem.write_to_path(str(place / "another.pem"))
    authority.cert_pem.write_to_path(str(place / "more" / "ours.crt"))
    (place / "README").write_text("the CAs of this house\n", encoding="ascii")
    return place


def trusting(secure: Proxy, cluster: Cluster, **variables: str) -> Any:
    told = {"CONSUL_HTTP_AUTH": f"{USER}:{PASSWORD}", "CONSUL_HTTP_TOKEN": token(cluster), **variables}
    return run_in(told, "cluster_info", host=f"https://{LOOPBACK}:{secure.port}{PREFIX}", retries=0)


@pytest.mark.every_version
def test_a_directory_of_plain_files(cluster: Cluster, secure: Proxy, directory: Path, calls: Calls) -> None:
    before = sorted(directory.rglob("*"))
    outcome = trusting(secure, cluster, CONSUL_CAPATH=str(directory))
    assert not outcome.failed, outcome.result
    # The notes are no obstacle here; to the CLI they are.
    (directory / "README").unlink()
    cli = subprocess.run(
        [str(cluster.binary), "catalog", "datacenters"],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "CONSUL_HTTP_ADDR": f"https://{LOOPBACK}:{secure.port}{PREFIX}",
            "CONSUL_HTTP_AUTH": f"{USER}:{PASSWORD}",
            "CONSUL_CAPATH": str(directory),
        },
    )
    assert (cli.returncode, cli.stdout) == (0, "dc1\n"), cli.stderr
    assert sorted({*directory.rglob("*"), directory / "README"}) == before


@pytest.mark.every_version
def test_no_other_ca_is_trusted_than_those_of_the_directory(cluster: Cluster, secure: Proxy, directory: Path) -> None:
    shutil.rmtree(directory / "more")
    outcome = trusting(secure, cluster, CONSUL_CAPATH=str(directory))
    assert outcome.failure["kind"] == "connection"
    assert "a CA that is not trusted" in outcome.result["msg"]


@pytest.mark.every_version
def test_a_name_is_compared_with_a_directory_as_well(cluster: Cluster, secure: Proxy, directory: Path) -> None:
    outcome = trusting(secure, cluster, CONSUL_CAPATH=str(directory), CONSUL_TLS_SERVER_NAME="x.test")
    assert outcome.failure["kind"] == "connection"
    assert "for another name" in outcome.result["msg"]


@pytest.mark.parametrize("content", [None, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_directory_that_cannot_be_used(cluster: Cluster, secure: Proxy, directory: Path, content: str | None) -> None:
    if content is None:
        shutil.rmtree(directory / "more")
        (directory / "another.pem").unlink()
    else:
        (directory / "broken.pem").write_text(content, encoding="ascii")
    outcome = trusting(secure, cluster, CONSUL_CAPATH=str(directory))
    assert outcome.failure["kind"] == "option", outcome.result
    assert "ca_path: " in outcome.result["msg"]
    assert secure.requests == []


@pytest.mark.parametrize("traditional", [False, True], ids=["PKCS8", "traditional"])
@pytest.mark.parametrize("apart", [False, True], ids=["one file", "two files"])
def test_an_encrypted_key_is_refused_and_nobody_is_asked(
    authority: trustme.CA, secure: Proxy, tmp_path: Path, traditional: bool, apart: bool
) -> None:
    issued = authority.issue_cert("client.local")
    key, locked, cert = tmp_path / "key.pem", tmp_path / "locked.pem", tmp_path / "cert.pem"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(cert))
    form = ["-traditional"] if traditional else []
    command = ["openssl", "pkey", "-aes256", *form, "-passout", "pass:secret", "-in", str(key), "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    if apart:
        options = {"client_cert": str(cert), "client_key": str(locked)}
    else:
        cert.write_bytes(cert.read_bytes() + locked.read_bytes())
        options = {"client_cert": str(cert)}
    outcome = run_in({}, "cluster_info", host=f"https://{LOOPBACK}:{secure.port}", retries=0, **options)
    check_decent(outcome, [])
    assert outcome.failure["kind"] == "option", outcome.result
    assert "is encrypted" in outcome.result["msg"]
    assert "openssl pkey" in outcome.failure["hint"]
    assert secure.requests == []
