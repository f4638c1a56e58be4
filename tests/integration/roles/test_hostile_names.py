# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cluster whose names are an attack: nothing of them is evaluated, run, obeyed by a terminal, or made a path."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.playbooks import Ansible, hosts_of

from lab import Cluster

OWNED = "owned-by-a-name"
EVALUATED = "eva" + "luated"
SHELL = f"$(touch {OWNED})`touch {OWNED}`'; touch {OWNED} #"
JINJA = "{{ 'eva' ~ 'luated' }}{{ lookup('pipe', 'touch " + OWNED + "') }}{% raw %}"
TERMINAL = "\x1b]0;title\x07\x1b[2J\u202e"
# Consul puts its server's own name into a policy of its own, which takes neither quotes nor line breaks.
SERVER = f"s{JINJA}{SHELL}{TERMINAL}"
ANYTHING = f'-n/../../{SERVER}"\n# heading\r\n<script>alert(1)</script>'
WORDS = ("msg", "next_steps", "summary", "reason", "warnings", "hint", "detail")


class Renamed(Cluster):
    """One server with such a name."""

    def __enter__(self) -> Renamed:
        super().__enter__()
        server = self.servers[0]
        server.kill()
        config = json.loads(server.config_file.read_text(encoding="utf-8"))
        server.config_file.write_text(json.dumps({**config, "node_name": SERVER}), encoding="utf-8")
        server.start()
        self.wait_ready()
        return self


class Hostile(Renamed):
    """And the same in whatever it takes."""

    def __enter__(self) -> Hostile:
        super().__enter__()
        node = {"Node": ANYTHING, "Address": "10.9.9.9", "Service": {"Service": ANYTHING}}
        self.http("PUT", "/v1/catalog/register", json=node, check=True)
        key = {"KV": {"Verb": "set", "Key": ANYTHING, "Value": "eA=="}}
        self.http("PUT", "/v1/txn", json=[key], check=True)
        role = {"Name": "hostile", "Description": ANYTHING}
        self.http("PUT", "/v1/acl/role", json=role, check=True)
        return self


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of an attacker."""
    with Hostile(tmp_path_factory.mktemp("hostile") / "cluster", servers=1, name_prefix="plain") as cluster:
        assert SERVER in [node["Node"] for node in cluster.get("/v1/catalog/nodes")]
        yield cluster


def words_of(value: Any, within: bool = False) -> Iterator[str]:
    """Return what a result says to people."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from words_of(one, within or name in WORDS)
    elif isinstance(value, list):
        for one in value:
            yield from words_of(one, within)
    elif isinstance(value, str) and within:
        yield value


def check_words(result: dict[str, Any]) -> list[str]:
    said = list(words_of(result))
    assert [text for text in said if not text.isprintable()] == []
    return said


def check_shown(output: str) -> None:
    """Nothing that a terminal obeys is printed, and nothing was evaluated."""
    strange = {character for character in output if not character.isprintable()} - {"\n"}
    assert strange == set()
    assert EVALUATED not in output


def check_nothing_ran(*places: Path) -> None:
    for place in places:
        assert list(place.rglob(OWNED)) == []
    assert not Path(OWNED).exists()


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*")}


@pytest.fixture
def blank(hostile: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    """A new cluster, its server of the same name and another id, with the same tokens in its configuration."""
    with Renamed(tmp_path / "blank", servers=1, name_prefix="blank", tokens=hostile.tokens) as cluster:
        yield cluster


@pytest.fixture
def archive(hostile: Cluster, calls: Calls, tmp_path: Path) -> Path:
    """An archive of it."""
    place = tmp_path / "archives"
    place.mkdir()
    saved = calls.ok(hostile, "snapshot_save", dest=str(place))
    check_words(saved)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+\.snap(\.manifest\.json)?", name) for name in names_in(place))
    return Path(saved["dest"])


def test_what_modules_say(hostile: Cluster, blank: Cluster, calls: Calls, archive: Path, tmp_path: Path) -> None:
    looked = calls.ok(hostile, "cluster_info")
    check_words(looked)
    assert all(server["name"].isprintable() for server in looked["servers"])
    check_words(calls.ok(None, "snapshot_info", path=str(archive)))
    differs = calls.ok(blank, "snapshot_diff", before=str(archive), diff=True)
    check_words(differs)
    assert all(line.isprintable() for line in differs["diff"]["before"].split("\n"))
    refused = calls.fails(blank, "snapshot_restore", "guard", src=str(archive))
    check_words(refused)
    risks = ["token_loss", "replace_content", "node_conflict"]
    done = calls.ok(
        blank, "snapshot_restore", src=str(archive), accept_risks=risks, backup_dir=str(tmp_path), wait_timeout=20
    )
    said = check_words(done)
    (command,) = (text.partition("one by one: ")[2] for text in said if "one by one: " in text)
    assert "lookup" in command
    # As printed, it frees that name, and does nothing else.
    variables = {
        "CONSUL_HTTP_ADDR": blank.servers[0].address("http"),
        "CONSUL_HTTP_TOKEN": blank.tokens.initial_management or "",
        "PATH": "/usr/bin:/bin",
    }
    held = {node["Node"]: node["ID"] for node in blank.get("/v1/catalog/nodes")}
    subprocess.run(["sh", "-c", command], cwd=tmp_path, env=variables, check=True, capture_output=True)
    left = {node["Node"]: node["ID"] for node in blank.get("/v1/catalog/nodes")}
    assert left.get(SERVER) != held[SERVER]
    assert set(held) - set(left) <= {SERVER}
    check_nothing_ran(tmp_path)


def test_what_roles_do_with_names(hostile: Cluster, tmp_path: Path, archive: Path) -> None:
    ansible = Ansible(tmp_path, [hostile.tokens.initial_management or "no token"])
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    hosts = {"host": next(iter(hosts_of(hostile).values()))}
    places = {"backup_dir": str(kept), "backup_fetch_to": str(vault), "backup_textfile": str(tmp_path / "consul.prom")}
    inventory = ansible.inventory(hosts, backup_cluster="prod", **places)
    for playbook in ("backup", "pre_upgrade"):
        played = ansible.run(playbook, inventory, backup_min_failure_tolerance=0)
        check_shown(played.output)
        check_nothing_ran(tmp_path)
        assert played.code == 0, played.output
    for path in [*kept.rglob("*"), *vault.rglob("*")]:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", path.name), path
        assert not path.is_file() or path.suffix == ".snap" or EVALUATED.encode() not in path.read_bytes(), path


@pytest.mark.every_version
def test_what_the_role_restore_says(hostile: Cluster, blank: Cluster, tmp_path: Path, archive: Path) -> None:
    ansible = Ansible(tmp_path, [blank.tokens.initial_management or "no token"])
    hosts = {"host": {"restore_connection": next(iter(hosts_of(blank).values()))["backup_connection"]}}
    inventory = ansible.inventory(hosts, restore_cluster="prod")
    told = {"restore_src": str(archive), "restore_accept_risks": ["token_loss", "replace_content", "node_conflict"]}
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    played = ansible.run("restore", inventory, **told, restore_backup_dir=str(kept))
    check_shown(played.output)
    check_nothing_ran(tmp_path)
    assert played.code == 0, played.output
    assert played.says("lookup"), "the name was to be told"


def test_what_the_role_rehearsal_says(hostile: Cluster, tmp_path: Path, archive: Path) -> None:
    ansible = Ansible(tmp_path, ["no token"])
    inventory = ansible.inventory({"host": {}}, rehearsal_cluster="prod", rehearsal_src=str(archive))
    told = {"rehearsal_report_dir": str(tmp_path / "report"), "rehearsal_consul_binary": str(hostile.binary)}
    played = ansible.run("rehearse", inventory, **told)
    check_shown(played.output)
    check_nothing_ran(tmp_path)
    assert played.code == 0, played.output
