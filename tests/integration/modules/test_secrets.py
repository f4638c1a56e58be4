# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No token, key or value anywhere but in archives: not at -vvvv, in no file, in no command line, however it ends."""

from __future__ import annotations

import base64
import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answers import says
from support.archives import STATE, part_of
from support.calls import Calls, connection, run_in
from support.faults import FaultServer
from support.playbooks import Ansible

from lab import Cluster, binaries
from lab.seed import seed
from lab.statefile import write_private

VALUE = "the-value-that-nobody-may-see-0815"
PREFIX = "disaster_recovery.consul."
PEM = re.compile(rb"-----BEGIN (?:EC|RSA|) ?PRIVATE KEY-----\n([A-Za-z0-9+/=]{40,})\n")


@pytest.fixture(scope="module")
def guarded(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """A server full of secrets."""
    cluster = shared_cluster(version=binaries.NEW, name_prefix="guarded")
    seed(cluster, keys=30)
    cluster.http("PUT", "/v1/kv/app/password", data=VALUE, check=True)
    return cluster


@pytest.fixture(scope="module")
def older(guarded: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of it by the CLI."""
    archive = tmp_path_factory.mktemp("secrets") / "older.snap"
    guarded.cli("snapshot", "save", archive)
    return archive


@pytest.fixture(scope="module")
def secrets(guarded: Cluster, older: Path) -> list[str]:
    """Tokens, a value, an auth method's credentials, the CA's private key: as they are, and in base64."""
    tokens = [guarded.get(f"/v1/acl/token/{one['AccessorID']}")["SecretID"] for one in guarded.get("/v1/acl/tokens")]
    method = guarded.get("/v1/acl/auth-method/kubernetes")["Config"]["ServiceAccountJWT"]
    keys = [key.decode() for key in PEM.findall(part_of(older.read_bytes(), STATE))]
    assert keys, "the archive holds no private key to look for"
    found = [VALUE, method, *keys, *(one for one in tokens if one != "anonymous")]
    assert guarded.tokens.initial_management in found
    return [*found, *(base64.b64encode(one.encode()).decode() for one in found)]


class CommandLines:
    """Looks at the command lines of all processes, again and again, while the block runs."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = [one.encode() for one in secrets]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.modules_seen: set[bytes] = set()
        self.leaks: set[bytes] = set()

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.04):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    line = (process / "cmdline").read_bytes()
                    if b"ansible-playbook" in line or b"AnsiballZ" in line:
                        self.modules_seen.add(line)
                    self.leaks.update(line for secret in self._secrets if secret in line)


def test_the_watch_sees_what_it_looks_for() -> None:
    with CommandLines([VALUE]) as lines:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", VALUE], check=True)

    assert any(VALUE.encode() in line for line in lines.leaks)


def tasks_of(directory: Path, good: dict[str, Any], token: str, weak: str, older: Path) -> Iterator[dict[str, Any]]:
    """Every module, with a token from everywhere, ending well and badly."""
    token_file, bad_file = directory / "token", directory / "bad-token"
    write_private(token_file, token + "\n")
    write_private(bad_file, f"{token} and more\n")
    nobody = {name: value for name, value in good.items() if name != "token"}
    backups = str(directory / "backups")
    archive = f"{backups}/one.snap"
    replace = {"src": str(older), "accept_risks": ["replace_content"], "backup_dir": backups}
    yield from (
        {PREFIX + module: options}
        for module, options in (
            ("cluster_info", {**nobody, "token_file": str(token_file)}),
            ("snapshot_save", {**nobody, "dest": archive, "token_file": str(token_file)}),
            ("snapshot_info", {"path": archive, "kv_depth": 9}),
            ("snapshot_restore", {**good, **replace, "post_restore_token": token}),
            # And what fails.
            ("snapshot_save", {**good, "dest": archive, "token": weak, "force": True}),
            ("snapshot_save", {**nobody, "dest": archive, "token": f"{token} x"}),
            ("snapshot_save", {**nobody, "dest": archive, "token_file": str(bad_file)}),
            ("snapshot_restore", {**good, "src": str(token_file), "post_restore_token": token}),
            ("snapshot_restore", {**good, "src": archive, "post_restore_token": f"{token}\t"}),
        )
    )


@pytest.mark.every_version
def test_a_play_at_its_most_talkative(guarded: Cluster, secrets: list[str], older: Path, tmp_path: Path) -> None:
    weak = guarded.put("/v1/acl/token", {"Description": "may nothing"})["SecretID"]
    for name in ("backups", "ansible"):
        (tmp_path / name).mkdir()
    good = {**connection(guarded), "retries": 0}
    tasks = list(tasks_of(tmp_path, good, guarded.tokens.initial_management, weak, older))
    ansible = Ansible(tmp_path / "ansible", [*secrets, weak])
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [{**task, "ignore_errors": True} for task in tasks],
    }
    with CommandLines([*secrets, weak]) as lines:
        # This fails by itself when the output holds one of them.
        played = ansible.run(
            ansible.playbook(play),
            ansible.inventory({"localhost": {}}),
            verbosity=4,
            env={
                # As Ansible does it unless told otherwise: modules and their arguments are files for a moment.
                "ANSIBLE_PIPELINING": "0",
                "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote"),
                # Since ansible-core 2.21 results show a module's arguments only when asked to.
                "ANSIBLE_INJECT_INVOCATION": "1",
            },
        )

    counts = played.recap["localhost"]
    assert (counts["ok"], counts["ignored"]) == (len(tasks), 5), played.output[-3000:]
    assert counts["changed"] == 2  # the save, and the restore of what was there before the weak token
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in played.output
    assert lines.modules_seen
    assert lines.leaks == set()
    check_files(tmp_path, [*secrets, weak])


def check_files(directory: Path, secrets: list[str]) -> None:
    """No file holds a secret but archives, and what the test itself gave it: token files and the playbook."""
    given = {directory / "token", directory / "bad-token", directory / "ansible" / "play-1.yml"}
    looked_at = 0
    for path in directory.rglob("*"):
        if not path.is_file() or path.suffix == ".snap" or path in given:
            continue
        data = path.read_bytes()
        looked_at += 1
        assert not [1 for secret in secrets if secret.encode() in data], f"{path} holds a secret"
    assert looked_at >= 3  # the manifests at least


QUESTIONS = (("POST", "/v1/internal/acl/authorize"), ("GET", "/v1/status/leader"), ("GET", "/v1/agent/self"))


@pytest.mark.parametrize("module", ["snapshot_save", "snapshot_restore", "cluster_info"])
def test_a_server_that_repeats_the_token(module: str, guarded: Cluster, older: Path, tmp_path: Path) -> None:
    token, token_file = guarded.tokens.initial_management, tmp_path / "token"
    write_private(token_file, token)
    own = {"snapshot_save": {"dest": f"{tmp_path}/b.snap"}, "snapshot_restore": {"src": str(older)}}.get(module, {})
    ways: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {"token": token}),
        ({}, {"token_file": str(token_file)}),
        ({"CONSUL_HTTP_TOKEN": token}, {}),
        ({"CONSUL_HTTP_TOKEN_FILE": str(token_file)}, {}),
    ]
    with FaultServer(guarded.servers[0].address("http")) as server:
        for method, path in QUESTIONS:
            server.on(method, path, says(500, f"no such token {token}", X_Consul_Token=token))
        for variables, options in ways:
            told = {"host": "127.0.0.1", "port": server.port, "retries": 1, "retry_delay": 0.01, **own, **options}
            outcome = run_in(variables, module, **told)
            assert "no such token" in outcome.stdout
            assert token not in outcome.stdout + outcome.stderr


def test_results_hold_no_secret(guarded: Cluster, secrets: list[str], calls: Calls, tmp_path: Path) -> None:
    saved = calls.run(guarded, "snapshot_save", dest=str(tmp_path), diff=True)
    described = calls.run(None, "snapshot_info", path=saved.result["dest"], kv_depth=50)
    restored = calls.run(guarded, "snapshot_restore", src=saved.result["dest"], diff=True)
    looked = calls.run(guarded, "cluster_info")
    manifest = Path(saved.result["manifest"]).read_text()

    for text in (saved.stdout, described.stdout, restored.stdout, looked.stdout, manifest):
        assert len(text) > 500
        assert not [1 for secret in secrets if secret in text]
