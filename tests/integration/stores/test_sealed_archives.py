# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of real clusters, sealed by snapshot_save, opened by age and read by Consul; and by the modules again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support import collection, keys
from support.answers import in_chunks, stalls
from support.archives import index_of
from support.calls import Calls, connection, run_in
from support.faults import Exchange, Fault, FaultServer, head
from support.keys import Key
from support.modules import Runner, start
from support.scene import SNAPSHOT, contents
from support.states import incompressible, with_records
from support.waiting import wait_until

from lab import Cluster

VALUE = b"a value that must not lie anywhere in the clear"


class Sealing(NamedTuple):
    """Keys of all kinds, in files."""

    own: Key
    escrow: Key
    other: Key
    signing: Key
    signers: Path

    @property
    def write(self) -> dict[str, Any]:
        """The options of a save."""
        return {"encrypt_to": [self.own.public, self.escrow.public], "signing_key": str(self.signing.path)}

    @property
    def read(self) -> dict[str, Any]:
        """The options of whoever reads."""
        return {"identity_file": str(self.own.path), "allowed_signers": str(self.signers)}


@pytest.fixture(scope="module")
def sealing(tmp_path_factory: pytest.TempPathFactory) -> Sealing:
    directory = tmp_path_factory.mktemp("keys")
    made = [keys.age_key(directory / name) for name in ("own", "escrow", "other")]
    signing = keys.ssh_key(directory / "signing")
    return Sealing(*made, signing, keys.allowed_signers(directory / "signers", ("backup@example", signing)))


@pytest.fixture
def cluster(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    running = shared_cluster(version=version, name_prefix="sealed")
    running.http("PUT", "/v1/kv/sealed", data=VALUE, check=True)
    return running


@pytest.fixture
def saved(calls: Calls, cluster: Cluster, sealing: Sealing, tmp_path: Path) -> dict[str, Any]:
    """The result of a save that sealed."""
    directory = tmp_path / "backups"
    directory.mkdir()
    return calls.ok(cluster, "snapshot_save", dest=f"{directory}/", **sealing.write)


def opened(archive: Path, key: Key) -> bytes:
    """Return what age itself makes of an archive."""
    plain = keys.age_decrypt(archive.read_bytes(), key)
    assert plain is not None
    return plain


def test_age_opens_it_and_consul_reads_it(
    saved: dict[str, Any], cluster: Cluster, sealing: Sealing, tmp_path: Path
) -> None:
    archive = Path(saved["dest"])
    assert archive.name.endswith(".snap.age")
    assert saved["sealed_with"] in ("pyrage", "age")
    for key in (sealing.own, sealing.escrow):
        plain = tmp_path / "plain.snap"
        plain.write_bytes(opened(archive, key))
        assert f"{saved['index']}" in cluster.cli("snapshot", "inspect", plain)
    assert keys.age_decrypt(archive.read_bytes(), sealing.other) is None

    manifest = archive.with_name(f"{archive.name}.manifest.json")
    told, sealed, whole = json.loads(manifest.read_bytes()), archive.read_bytes(), plain.read_bytes()
    assert told["archive"] == {"file": archive.name, **digest(whole)}
    assert told["sealed"] == {"format": "age", **digest(sealed)}
    assert keys.is_signed_by(
        manifest.read_bytes(), manifest.with_name(f"{manifest.name}.sig"), sealing.signers, "backup@example"
    )
    # Who can open it is nobody's business, nor is what signed it.
    for key in (sealing.own, sealing.escrow, sealing.signing):
        assert key.public.split()[-1].encode() not in manifest.read_bytes() + sealed


def digest(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_unchanged_content_needs_no_key_that_opens(
    saved: dict[str, Any], calls: Calls, cluster: Cluster, sealing: Sealing
) -> None:
    directory = Path(saved["dest"]).parent
    before = contents(directory)
    again = calls.ok(cluster, "snapshot_save", dest=f"{directory}/", **sealing.write)
    assert again["dest"] == saved["dest"]
    new = {name: data for name, data in contents(directory).items() if name not in before}
    assert [name.startswith(f"{Path(saved['dest']).name}.confirmed-") for name in new] == [True]
    assert {name: data for name, data in contents(directory).items() if name in before} == before


def test_what_is_in_it_is_what_is_in_the_plain_one(
    saved: dict[str, Any], calls: Calls, sealing: Sealing, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.snap"
    plain.write_bytes(opened(Path(saved["dest"]), sealing.own))
    expected = calls.ok(None, "snapshot_info", path=str(plain))
    shown = calls.ok(None, "snapshot_info", path=saved["dest"], **sealing.read)
    assert (shown["sealed"], shown["signed"], shown["signed_by"]) == (True, True, "backup@example")
    assert saved["size"] == len(plain.read_bytes())
    for fact in ("sha256", "size", "records", "fingerprint", "meta", "kv_prefixes", "findings"):
        assert shown[fact] == expected[fact], fact
    assert shown["stored"] == digest(Path(saved["dest"]).read_bytes())
    (listed,) = calls.ok(None, "snapshot_list", path=str(Path(saved["dest"]).parent), **sealing.read)["archives"]
    assert listed["sealed"] is True


@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        (None, "sealed", "identity_file is not set"),
        ("other", "sealed", "does not open this archive"),
        ("signing", "sealed", "does not open this archive"),
        ("cut", "archive", "damaged or incomplete"),
        ("flipped", "archive", "damaged or incomplete"),
        ("replaced", "archive", "not encrypted by age"),
    ],
)
def test_what_does_not_open_is_refused(
    key: str | None, kind: str, words: str, saved: dict[str, Any], calls: Calls, sealing: Sealing
) -> None:
    archive = Path(saved["dest"])
    data = archive.read_bytes()
    identity = getattr(sealing, key, sealing.own).path if key else None
    if key == "cut":
        archive.write_bytes(data[:-1])
    elif key == "flipped":
        archive.write_bytes(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
    elif key == "replaced":
        archive.write_bytes(opened(archive, sealing.own))
    failed = calls.fails(None, "snapshot_info", kind, path=str(archive), identity_file=identity and str(identity))
    assert words in failed["msg"]
    if kind == "archive":
        assert failed["failure"]["fault"] == "sealed"


def test_nothing_is_taken_when_it_could_not_be_sealed(
    calls: Calls, cluster: Cluster, sealing: Sealing, tmp_path: Path
) -> None:
    damaged = sealing.own.public[:-1] + ("q" if sealing.own.public[-1] != "q" else "p")
    secret = sealing.own.path.read_text(encoding="utf-8").split()[-1]
    locked = keys.ssh_key(tmp_path / "locked", passphrase="hunter2")
    directory = tmp_path / "backups"
    directory.mkdir()
    for kind, options in (
        ("option", {"encrypt_to": [damaged]}),
        ("option", {"encrypt_to": [secret]}),
        ("file", {"encrypt_to_file": str(tmp_path / "none")}),
        ("signature", {"signing_key": str(locked.path)}),
        ("file", {"signing_key": str(tmp_path / "none")}),
    ):
        failed = calls.fails(cluster, "snapshot_save", kind, dest=f"{directory}/", **options)
        # The options that the module shows again are in here as well.
        assert secret not in json.dumps(failed)
        assert list(directory.iterdir()) == []


def test_a_key_that_others_can_read_is_warned_about(
    saved: dict[str, Any], calls: Calls, sealing: Sealing, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_bytes(sealing.own.path.read_bytes())
    key.chmod(0o644)
    shown = calls.ok(None, "snapshot_info", path=saved["dest"], identity_file=str(key))
    (warning,) = shown["warnings"]
    assert f"chmod 600 {key}" in str(warning)


# ---- Hosts with other tools


@pytest.fixture
def without_pyrage(tmp_path: Path) -> dict[str, str]:
    """The variables of a host whose Python has no pyrage."""
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    (stubs / "pyrage.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    return {"PYTHONPATH": f"{stubs}{os.pathsep}{collection.ROOT}"}


def test_the_program_seals_where_there_is_no_pyrage(
    without_pyrage: dict[str, str], cluster: Cluster, sealing: Sealing, tmp_path: Path
) -> None:
    directory = tmp_path / "backups"
    directory.mkdir()
    options = {**connection(cluster), "dest": f"{directory}/", **sealing.write}
    variables = keys.with_programs({**os.environ, **without_pyrage})
    outcome = run_in(variables, "snapshot_save", **options)
    assert outcome.result["sealed_with"] == "age", outcome.result
    archive = Path(outcome.result["dest"])
    assert opened(archive, sealing.own).startswith(b"\x1f\x8b")
    shown = run_in(variables, "snapshot_info", path=str(archive), **sealing.read)
    assert shown.result["signed_by"] == "backup@example", shown.result


def test_a_host_without_a_tool(
    without_pyrage: dict[str, str], cluster: Cluster, sealing: Sealing, tmp_path: Path
) -> None:
    options = {**connection(cluster), "dest": f"{tmp_path}/", "encrypt_to": [sealing.own.public]}
    outcome = run_in({**without_pyrage, "PATH": str(tmp_path)}, "snapshot_save", **options)
    assert outcome.failure["kind"] == "sealed"
    assert "pip install pyrage" in outcome.failure["hint"]


# ---- A save that is killed


def half_of(archive: bytes) -> Fault:
    """Half of an archive, and then nothing more."""

    def fault(exchange: Exchange) -> None:
        exchange.send(head(200, {"Transfer-Encoding": "chunked", "X-Consul-Index": str(index_of(archive))}))
        exchange.send(in_chunks(archive[: len(archive) // 2]))
        stalls(exchange)

    return fault


def test_a_killed_save_leaves_nothing_in_the_clear(
    cluster: Cluster, sealing: Sealing, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, scratch, path = tmp_path / "backups", tmp_path / "scratch", tmp_path / "cli.snap"
    for made in (directory, scratch):
        made.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    cluster.cli("snapshot", "save", path)
    huge = with_records(path.read_bytes(), incompressible(20_000_000))
    token = cluster.tokens.initial_management
    with FaultServer(cluster.servers[0].address("http")) as server:
        server.on(*SNAPSHOT, half_of(huge))
        options = {"host": "127.0.0.1", "port": server.port, "token": token, "dest": f"{directory}/", **sealing.write}
        process = start("snapshot_save", **options)
        wait_until(lambda: sum(map(len, contents(directory).values())) > 1_000_000, "nothing is written", 60)
        process.kill()
        process.communicate()
    (left,) = contents(directory).values()
    assert left.startswith(b"age-encryption.org/v1\n")
    # What is written as it comes begins like the plain archive somewhere.
    assert huge[1_000:1_032] not in left
    assert contents(scratch) == {}
    # The next save removes it.
    outcome = runner.run("snapshot_save", **connection(cluster), dest=f"{directory}/", **sealing.write)
    assert not outcome.failed, outcome.result
    assert not [name for name in contents(directory) if name.endswith(".partial")]
