# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/sealing.md carried out to the letter on a real cluster: its commands in a shell, its tasks in a play."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import keys
from support.keys import Key
from support.kits import Shell
from support.playbooks import Ansible, connection

from env import places
from lab import Cluster

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = places.CHECKOUT / "docs" / "sealing.md"
SECRET = "a-secret-of-the-cluster"


class Reader:
    """Somebody who does what the page says, in directories of their own."""

    def __init__(self, directory: Path, cluster: Cluster) -> None:
        self.keys, self.backups = directory / "keys", directory / "backups"
        programs = directory / "bin"
        for made in (self.keys, self.backups, programs, directory / "ansible", directory / "home"):
            made.mkdir()
        (programs / "consul").symlink_to(cluster.binary)
        for name in ("age", "age-keygen"):
            (programs / name).symlink_to(keys.programs() / name)
        server, token = cluster.servers[0], cluster.tokens.initial_management
        variables = {"CONSUL_HTTP_ADDR": server.address("http"), "CONSUL_HTTP_TOKEN": token}
        self._shell = Shell(directory / "home", programs, **variables)
        self._ansible = Ansible(directory / "ansible", [token])
        self._connection = connection(server, token)

    def here(self, text: str) -> str:
        """Return a text with the reader's own directories in it."""
        return text.replace("/etc/consul-backup", str(self.keys)).replace("/var/backups/consul", str(self.backups))

    def types(self, block: str) -> str:
        """Type commands, and return what they print."""
        return self._shell.run(self.here(block))

    def plays(self, block: str, *, fails: bool = False, **variables: Any) -> list[dict[str, Any]]:
        """Run tasks, and return their results."""
        tasks = yaml.safe_load(self.here(block))
        names = [f"result_{number}" for number in range(len(tasks))]
        names = [task.get("register", name) for task, name in zip(tasks, names, strict=True)]
        tasks = [{**task, "register": name, "ignore_errors": fails} for task, name in zip(tasks, names, strict=True)]
        path = self.backups.parent / "results.json"
        copy = {"dest": str(path), "content": "{{ [" + ", ".join(names) + "] | to_json }}", "mode": "0600"}
        play = {
            "hosts": "consul",
            "gather_facts": False,
            "module_defaults": {"group/disaster_recovery.consul.consul": self._connection},
            "tasks": [*tasks, {"name": "keep", "ansible.builtin.copy": copy}],
        }
        inventory = self._ansible.inventory({"host": {}})
        played = self._ansible.run(self._ansible.playbook(play), inventory, **variables)
        assert played.code == 0, played.output
        return list(json.loads(path.read_text(encoding="utf-8")))

    def newest(self, directory: Path | None = None) -> Path:
        """Return the newest archive."""
        return max((directory or self.backups).glob("*.snap.age"))


def sections() -> dict[int, list[tuple[str, str]]]:
    """Return the blocks of each numbered section, each with its language."""
    parts = re.split(r"^## (\d+)\. .*$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {int(number): BLOCK.findall(text) for number, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.fixture
def reader(tmp_path: Path, cluster: Cluster) -> Reader:
    return Reader(tmp_path, cluster)


@pytest.fixture(scope="module")
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    return shared_cluster(name_prefix="sealing")


def value(cluster: Cluster) -> str:
    return str(cluster.http("GET", "/v1/kv/sealing?raw", check=True).text)


def put(cluster: Cluster, text: str) -> None:
    cluster.http("PUT", "/v1/kv/sealing", data=text.encode(), check=True)


def test_the_page_is_carried_out(reader: Reader, cluster: Cluster) -> None:
    blocks = sections()
    assert {number: [language for language, _block in found] for number, found in blocks.items()} == {
        1: ["shell", "shell"],
        2: ["yaml"],
        3: ["shell"] * 5,
        4: ["yaml"],
        5: ["shell", "yaml", "shell"],
        6: ["shell", "yaml"],
        7: [],
    }, "a block was added: carry it out below"
    put(cluster, SECRET)

    # 1 and 2: keys, and an archive.
    for _language, block in blocks[1]:
        reader.types(block)
    for name in ("key.txt", "escrow.txt", "signing_key"):
        assert (reader.keys / name).stat().st_mode & 0o77 == 0
    (saved,) = reader.plays(blocks[2][0][1])
    archive = reader.newest()
    assert saved["dest"] == str(archive)
    assert {path.name for path in reader.backups.iterdir()} == {
        archive.name,
        f"{archive.name}.manifest.json",
        f"{archive.name}.manifest.json.sig",
    }
    assert not saved.get("warnings")

    # 3: opened, and restored, without the collection.
    put(cluster, "changed since")
    find, check, compare, unseal, restore = (block for _language, block in blocks[3])
    assert reader.types(find).strip() == archive.name
    assert 'Good "consul-snapshot" signature for backup@example' in reader.types(check)
    assert reader.types(compare).strip() == "same archive"
    assert "KVS" in reader.types(unseal)
    assert (reader.backups / "opened.snap").stat().st_mode & 0o77 == 0
    reader.types(restore)
    assert value(cluster) == SECRET
    assert not (reader.backups / "opened.snap").exists()

    # 4: the same with modules.
    put(cluster, "changed again")
    shown, restored = reader.plays(blocks[4][0][1], archive=str(archive))
    assert (shown["sealed"], shown["signed_by"], shown["signature_fault"]) == (True, "backup@example", None)
    assert restored["changed"] is True
    assert value(cluster) == SECRET
    safety = reader.newest(Path(f"{reader.backups}-replaced"))
    assert keys.age_decrypt(safety.read_bytes(), Key(reader.keys / "escrow.txt", "")) is not None

    # 5: other keys.
    make_key, copy, sign = (block for _language, block in blocks[5])
    reader.types(make_key)
    (copied,) = reader.plays(copy)
    assert [one["verified"] for one in copied["copied"]] == ["records"]
    again = reader.newest(Path(f"{reader.backups}-2027"))
    plain = keys.age_decrypt(archive.read_bytes(), Key(reader.keys / "key.txt", ""))
    assert plain is not None
    assert keys.age_decrypt(again.read_bytes(), Key(reader.keys / "key.txt", "")) is None
    for name in ("key-2027.txt", "escrow.txt"):
        assert keys.age_decrypt(again.read_bytes(), Key(reader.keys / name, "")) == plain
    reader.types(sign)
    assert 'Good "consul-snapshot" signature' in reader.types(f"cd {reader.backups}\n{check}")
    reader.plays(blocks[4][0][1], archive=str(archive))

    # 6: a key that was stolen.
    revoke, refuse = (block for _language, block in blocks[6])
    reader.types(revoke)
    (refused,) = reader.plays(refuse, archive=str(archive), fails=True)
    assert refused["failed"] is True
    assert "revoked" in refused["signature_fault"]
    assert refused["signed_by"] is None
