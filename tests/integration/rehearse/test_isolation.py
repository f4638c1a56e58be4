# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credentials in an archive are not used: no peer is dialled and no CA provider, in either isolation."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.calls import run_in
from support.modules import finish, start
from support.records import with_changed

from lab import Cluster, binaries

from .conftest import Rehearse, SampleOf

CA_CONFIG = 15
ELSEWHERE = "127.0.0.1"


class Listener:
    """Counts who connects to a port of loopback."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.create_server((ELSEWHERE, port))
        self.port = self._socket.getsockname()[1]
        self.count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self.count += 1
            connection.close()

    def close(self) -> None:
        # Closed alone, the thread would go on to wait.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def listener(port: int = 0) -> Listener:
        made.append(Listener(port))
        return made[-1]

    yield listener
    for one in made:
        one.close()


def with_provider(archive: bytes, port: int) -> bytes:
    """Return the archive with a CA provider that is elsewhere."""
    config = {"Address": f"http://{ELSEWHERE}:{port}", "Token": "t", "RootPKIPath": "r", "IntermediatePKIPath": "i"}
    return with_changed(archive, CA_CONFIG, lambda record: {**record, b"Provider": b"vault", b"Config": config})


def test_nobody_is_dialled(
    rehearse: Rehearse, listen: Callable[..., Listener], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ours, theirs = (Cluster(tmp_path_factory.mktemp(name), name_prefix=name) for name in ("ours", "theirs"))
    with ours:
        with theirs:
            token = theirs.http("POST", "/v1/peering/token", json={"PeerName": "ours"}, check=True).json()
            told = {"PeerName": "theirs", "PeeringToken": token["PeeringToken"]}
            ours.http("POST", "/v1/peering/establish", json=told, check=True)
            port = theirs.servers[0].ports.grpc_tls
        ours.cli("snapshot", "save", tmp_path / "ours.snap")
    peer, provider = listen(port), listen()
    src = tmp_path / "both.snap"
    src.write_bytes(with_provider((tmp_path / "ours.snap").read_bytes(), provider.port))

    told: dict[str, Any] = rehearse.options(src)
    apart = rehearse.ok(src)
    (tmp_path / "empty").mkdir()
    here = run_in({"PATH": str(tmp_path / "empty")}, "snapshot_rehearse", **told).result
    for result, isolation in ((apart, "network_namespace"), (here, "loopback")):
        assert (result["verdict"], result["isolation"]) == ("proven", isolation), result
        assert result["records"]["Peering"]["count"] == 1
    assert (peer.count, provider.count) == (0, 0)

    # That a server of any other kind does dial them is what makes this a test.
    with Cluster(tmp_path_factory.mktemp("control"), name_prefix="control") as control:
        control.http("PUT", "/v1/snapshot", data=src.read_bytes())
        end = time.monotonic() + 40
        while time.monotonic() < end and not (peer.count and provider.count):
            time.sleep(0.1)
    assert (peer.count > 0, provider.count > 0) == (True, True)


def test_secrets_are_in_no_command_line(rehearse: Rehearse, sample_of: SampleOf) -> None:
    src = sample_of(binaries.NEW).path
    seen = set()
    module = start("snapshot_rehearse", **rehearse.options(src, keep_on_failure=True, max_rto=0))
    while module.poll() is None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                seen.add((process / "cmdline").read_bytes() + (process / "environ").read_bytes())
            except OSError:
                continue
        time.sleep(0.02)
    outcome = finish(module)
    kept = Path(outcome.result["kept_dir"])
    config = json.loads((kept / "config.json").read_text())
    secrets = [config["acl"]["tokens"]["initial_management"], config["encrypt"]]
    assert any(b"consul" in one and b"agent" in one for one in seen)
    for secret in secrets:
        assert not any(secret.encode() in one for one in seen)
        assert secret not in outcome.stdout
    shutil.rmtree(kept)
