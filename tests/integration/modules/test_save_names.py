# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive's records say of their datacenter never leads out of the directory that was asked for."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.answers import real
from support.calls import Calls, connection
from support.faults import FaultServer
from support.records import with_changed
from support.scene import SNAPSHOT, contents

from lab import Cluster

REGISTER = 0
SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*-\d{8}T\d{6}Z-\d+\.snap(\.manifest\.json)?")
# In the last, braces stand for a directory that the test looks into.
NAMES = {
    "a path upwards": "../out/x",
    "a path further up": "../../out/x",
    "a line break": "dc1\nout",
    "terminal escapes": "\x1b[2J\x1b]0;owned\x07",
    "an option": "-rf",
    "a hidden file": ".hidden",
    "dots": "..",
    "a long one": "a" * 300,
    "not ASCII": "数据中心",
    "right to left": "dc\u202e1",
    "a shell": "$(reboot);`reboot`",
    "no UTF-8": b"\xff\xfe/../../out/x",
    "NUL": "dc1\0/../out/x",
    "an absolute path": "/{}/out/x",
}


@pytest.fixture
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    return shared_cluster(name_prefix="names")


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Where archives belong, and where an attacker would like them."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    return inside, outside


def named(name: str | bytes, outside: Path) -> Callable[[bytes], bytes]:
    """Return what gives all nodes of an archive another datacenter."""
    told = name if isinstance(name, bytes) else name.format(str(outside.parent).strip("/")).encode()
    return lambda archive: with_changed(archive, REGISTER, lambda fields: {**fields, b"Datacenter": told})


def check_names(inside: Path, outside: Path) -> None:
    assert os.listdir(outside) == []
    assert sorted(os.listdir(inside.parent)) == ["in", "out"]
    assert len(contents(inside)) == 2
    for path in inside.iterdir():
        assert SAFE.fullmatch(path.name), path.name
        assert len(path.name) < 130
        assert stat.S_ISREG(path.lstat().st_mode)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_an_archive_is_named_safely(
    name: str | bytes, cluster: Cluster, calls: Calls, places: tuple[Path, Path]
) -> None:
    with FaultServer(cluster.servers[0].address("http")) as server:
        server.on(*SNAPSHOT, real(named(name, places[1])))
        options: dict[str, Any] = {"port": server.port, "dest": str(places[0])}
        checked = calls.ok(cluster, "snapshot_save", check=True, **options)
        assert Path(checked["dest"]).parent == places[0]
        saved = calls.ok(cluster, "snapshot_save", **options)
        assert Path(saved["dest"]).parent == places[0]
        check_names(*places)
        # It is found again under whatever it was called.
        assert not calls.ok(cluster, "snapshot_save", **options)["changed"]


@pytest.mark.parametrize("name", ["../out/x", "/{}/out/x", "\x1b[2J", "-rf"])
def test_a_safety_archive_is_named_safely(
    name: str, cluster: Cluster, calls: Calls, places: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    src = tmp_path_factory.mktemp("src") / "a.snap"
    cluster.cli("snapshot", "save", src)
    cluster.http("PUT", "/v1/kv/later", data=os.urandom(8), check=True)
    with FaultServer(cluster.servers[0].address("http")) as server:
        server.on(*SNAPSHOT, real(named(name, places[1])), real())
        told = {**connection(cluster), "port": server.port, "src": str(src), "backup_dir": str(places[0])}
        outcome = calls.run(cluster, "snapshot_restore", accept_risks=["replace_content", "other_datacenter"], **told)
    assert not outcome.failed, outcome.result
    assert Path(outcome.result["backup_file"]).parent == places[0]
    check_names(*places)
