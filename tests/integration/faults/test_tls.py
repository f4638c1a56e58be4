# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with TLS, from either side; one case a row."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from support.answers import answers_early, real
from support.faults import FaultServer
from support.modules import Runner
from support.scene import RESTORE, RETRIED, SNAPSHOT, Restoring, Saving

from lab import Cluster

pytestmark = pytest.mark.every_version

ADDRESS, OTHER_NAME = "127.0.0.1", "server.dc1.consul"
LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
FAR_AHEAD, YEAR = datetime.datetime(2091, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(days=365)


class Papers:
    """An authority, one that nobody trusts, and what they issued, as files."""

    def __init__(self, directory: Path) -> None:
        self.authority, self.stranger = trustme.CA(), trustme.CA()
        self.server = self.authority.issue_cert(ADDRESS)
        self.other_name = self.authority.issue_cert(OTHER_NAME)
        self.expired = self.authority.issue_cert(
            ADDRESS, not_before=LONG_AGO, not_after=LONG_AGO + datetime.timedelta(days=1)
        )
        self.future = self.authority.issue_cert(ADDRESS, not_before=FAR_AHEAD, not_after=FAR_AHEAD + YEAR)
        self.old_client = self.authority.issue_cert("client.local", not_before=LONG_AGO, not_after=LONG_AGO + YEAR)
        self.files: dict[str, str] = {}
        client, another = self.authority.issue_cert("client.local"), self.stranger.issue_cert("client.local")
        for name, blob in (
            ("ca", self.authority.cert_pem),
            ("stranger's ca", self.stranger.cert_pem),
            ("client", client.cert_chain_pems[0]),
            ("client key", client.private_key_pem),
            ("client and key", client.private_key_and_cert_chain_pem),
            ("stranger", another.private_key_and_cert_chain_pem),
            ("expired client", self.old_client.private_key_and_cert_chain_pem),
            ("stranger's key", another.private_key_pem),
        ):
            path = directory / f"{name.replace(' ', '-')}.pem"
            blob.write_to_path(str(path))
            self.files[name] = str(path)
        text = directory / "text.pem"
        text.write_text("not a certificate\n", encoding="ascii")
        self.files["text"] = str(text)


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates made on the spot."""
    return Papers(tmp_path_factory.mktemp("papers"))


SecureServer = Callable[..., FaultServer]


@pytest.fixture
def secure(consul: Cluster, papers: Papers) -> Iterator[Callable[..., FaultServer]]:
    """Make a server that speaks HTTPS with one of the certificates, and may demand one of its clients."""
    running: list[FaultServer] = []

    def serve(certificate: trustme.LeafCert, *, demand: bool = False) -> FaultServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if demand:
            papers.authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        running.append(FaultServer(consul.servers[0].address("http"), tls=context).__enter__())
        return running[-1]

    yield serve
    for server in running:
        server.__exit__(None, None, None)


SavingTo = Callable[[FaultServer], Saving]


@pytest.fixture
def saving_to(runner: Runner, token: str, older: Path, tmp_path: Path) -> SavingTo:
    """A save from a server that the test makes."""
    return lambda server: Saving(runner, server, token, older=older, directory=tmp_path)


class Row(NamedTuple):
    """A case: which certificate the server has, what the client is told, and words of the message that ends it.

    ``says`` None: it succeeds. Options that are names of papers are replaced by their files.
    """

    name: str
    certificate: str
    options: dict[str, Any]
    says: str | None
    demand: bool = False
    kind: str = "connection"


CA = {"ca_path": "ca"}
ROWS = (
    Row("all is well", "server", CA, None),
    Row("no authority is named", "server", {}, "a CA that is not trusted"),
    Row("another authority is named", "server", {"ca_path": "stranger's ca"}, "a CA that is not trusted"),
    Row("nothing is checked", "server", {"validate_certs": False}, None),
    Row("an expired certificate", "expired", CA, "has expired"),
    Row("a certificate of the future", "future", CA, "is not valid yet"),
    Row("an expired client", "server", {**CA, "client_cert": "expired client"}, "client certificate as", demand=True),
    Row("an expired certificate, unchecked", "expired", {**CA, "validate_certs": False}, None),
    Row("a certificate of another name", "other_name", CA, "for another name"),
    Row("another name that was told", "other_name", {**CA, "tls_server_name": OTHER_NAME}, None),
    Row("another name, and another was told", "other_name", {**CA, "tls_server_name": "x.test"}, "for another name"),
    Row("the right one, and another name was told", "server", {**CA, "tls_server_name": "x.test"}, "for another name"),
    Row("no client certificate", "server", CA, "requires a client certificate", demand=True),
    Row("a stranger's", "server", {**CA, "client_cert": "stranger"}, "requires a client certificate", demand=True),
    Row("a client certificate", "server", {**CA, "client_cert": "client and key"}, None, demand=True),
    Row("with its key", "server", {**CA, "client_cert": "client", "client_key": "client key"}, None, demand=True),
    Row(
        "with another key",
        "server",
        {**CA, "client_cert": "client", "client_key": "stranger's key"},
        "can't be used",
        demand=True,
    ),
    Row("without its key", "server", {**CA, "client_cert": "client"}, "can't be used", demand=True),
    Row("an authority that is no PEM", "server", {"ca_path": "text"}, "can't be used"),
    Row("a client certificate that is no PEM", "server", {**CA, "client_cert": "text"}, "can't be used"),
    Row("an authority that is not there", "server", {"ca_path": "/nowhere/ca.pem"}, "ca_path", kind="option"),
    Row("plain HTTP to the port of HTTPS", "server", {"scheme": "http"}, "requires HTTPS", kind="wrong_scheme"),
)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_https(secure: SecureServer, saving_to: SavingTo, papers: Papers, row: Row) -> None:
    server = secure(getattr(papers, row.certificate), demand=row.demand)
    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append))
    saving = saving_to(server)
    told = {option: papers.files.get(value, value) for option, value in row.options.items()}
    outcome = saving.save(**{"scheme": "https", **told})
    if row.says is None:
        saving.check_saved(outcome, sent[-1])
        return
    saving.check_failed(outcome, row.kind)
    assert row.says in outcome.result["msg"]
    assert outcome.failure["hint"]
    # Nothing of this mends itself.
    assert outcome.result["attempts"] == []


def test_https_to_the_port_of_plain_http(saving: Saving, server: FaultServer) -> None:
    outcome = saving.save(scheme="https")
    saving.check_failed(outcome, "connection")
    assert "plain HTTP" in outcome.failure["hint"]
    assert outcome.result["attempts"] == []
    assert server.requests == []


def test_a_cut_over_https(secure: SecureServer, saving_to: SavingTo, papers: Papers) -> None:
    server = secure(papers.server)
    server.on(*SNAPSHOT, real(lambda body: body[: len(body) // 2], framing="until closed"))
    saving = saving_to(server)
    outcome = saving.save(scheme="https", ca_path=papers.files["ca"])
    saving.check_failed(outcome, "archive")
    assert server.count(*SNAPSHOT) == RETRIED


def test_an_early_answer_in_the_midst_of_an_upload(
    secure: SecureServer, runner: Runner, token: str, older: Path, tmp_path: Path, papers: Papers, huge: bytes
) -> None:
    server = secure(papers.server)
    server.on(*RESTORE, answers_early(403, "Permission denied"))
    restoring = Restoring(runner, server, token, archive=older, directory=tmp_path)
    restoring.use(huge)
    outcome = restoring.restore(scheme="https", ca_path=papers.files["ca"])
    assert outcome.failure["state"] == "rejected", outcome.result["msg"]
    assert outcome.failure["cause"]["kind"] == "permission_denied"
    assert server.count(*RESTORE) == 1
