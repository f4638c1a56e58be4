# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that lack something: namespaces, room, short paths, a Consul."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.calls import run_in
from support.documented import faults_of
from support.modules import arguments, command, environment, interpreter, outcome_of
from support.states import incompressible, with_records

from lab import binaries

from .conftest import Rehearse, SampleOf


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("case", "of"), [("refused", binaries.NEW), ("missing", binaries.OLD)])
def test_without_a_network_namespace(
    case: str, of: str, sample_of: SampleOf, rehearse: Rehearse, tmp_path: Path
) -> None:
    if case == "refused":
        script(tmp_path / "unshare", "echo 'unshare failed: Operation not permitted' >&2; exit 1")
    outcome = run_in({"PATH": str(tmp_path)}, "snapshot_rehearse", **rehearse.options(sample_of(of).path, of))

    assert outcome.result["verdict"] == "proven", outcome.result
    assert outcome.result["isolation"] == "loopback"


ON_A_TAKEN_PORT = """
import socket, sys
from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox import binary, process, server
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system import workdir as _workdir
free = server.free_port
with socket.create_server(("127.0.0.1", 0)) as taken:
    ports = [taken.getsockname()[1]]
    server.free_port = lambda: ports.pop() if ports else free()
    consul = binary.find_binary(sys.argv[1])
    with _workdir.WorkDir(sys.argv[2]) as room:
        with server.Throwaway(consul, room, isolation=process.LOOPBACK, datacenter=None) as throwaway:
            client = throwaway.client(10)
            throwaway.start(client)
            print(len(ports), client.ask("/v1/agent/self")["Config"]["Datacenter"])
"""


def test_a_port_that_somebody_took_in_between(version: str, work_dir: Path) -> None:
    told = [interpreter(), "-c", ON_A_TAKEN_PORT, str(binaries.consul(version)), str(work_dir)]
    done = subprocess.run(told, env=environment(), capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.stderr) == ("0 rehearsal\n", "")


def test_a_directory_with_a_long_path(sample_of: SampleOf, rehearse: Rehearse) -> None:
    deep = rehearse.work_dir / ("d" * 120)
    deep.mkdir()

    assert rehearse.ok(sample_of(binaries.NEW).path, work_dir=str(deep))["verdict"] == "proven"
    deep.rmdir()


BINARIES = {
    "something else": "echo 'Vault v1.15.0'",
    "silent": "exit 0",
    "failing": "echo 'Consul v1.22.7'; exit 3",
    "boastful": "echo 'I am Consul v1.22.7'",
    "endless": "while :; do echo 'Consul v1.22.7'; done",
}


@pytest.mark.parametrize("text", BINARIES.values(), ids=BINARIES)
def test_a_binary_that_is_not_consul(text: str, sample_of: SampleOf, rehearse: Rehearse, tmp_path: Path) -> None:
    result = rehearse.fails(sample_of(binaries.NEW).path, script(tmp_path / "consul", text))

    assert result["verdict"] == "incomplete"
    assert "is not Consul" in result["msg"]
    assert result["failure"]["cause"]["kind"] == "binary"
    assert result["server_version"] is None
    assert faults_of("snapshot_rehearse", result) == []


def test_a_binary_that_hangs(sample_of: SampleOf, rehearse: Rehearse, tmp_path: Path) -> None:
    hanging = script(tmp_path / "consul", f"cd {rehearse.work_dir}/here; sleep 1000 & sleep 1000")
    (rehearse.work_dir / "here").mkdir()
    begun = time.monotonic()
    result = rehearse.fails(sample_of(binaries.NEW).path, hanging, timeout=2)

    assert result["verdict"] == "incomplete"
    assert time.monotonic() - begun < 10
    # That none of its processes is left is seen by the work directory.
    (rehearse.work_dir / "here").rmdir()


def test_a_binary_that_is_missing_and_one_that_only_tells_a_version(
    sample_of: SampleOf, rehearse: Rehearse, tmp_path: Path
) -> None:
    src = sample_of(binaries.NEW).path
    missing = rehearse.fails(src, "/nowhere/consul")
    assert (missing["verdict"], missing["failure"]["cause"]["kind"]) == ("incomplete", "binary")
    told = "[ $1 = version ] && echo 'Consul v1.22.7' && exit; echo 'no [ERROR] such'; exit 7"
    fake = script(tmp_path / "consul", told)
    boasting = rehearse.fails(src, fake)
    assert boasting["verdict"] == "incomplete"
    assert "exit code 7: no [ERROR] such" in boasting["msg"]
    assert boasting["rto"] == {}


def test_a_source_or_a_directory_that_is_not_there(sample_of: SampleOf, rehearse: Rehearse) -> None:
    result = rehearse.fails(Path("/nowhere/a.snap"))
    assert (result["verdict"], result["failure"]["cause"]["kind"]) == ("incomplete", "file")
    assert faults_of("snapshot_rehearse", result) == []
    result = rehearse.fails(sample_of(binaries.NEW).path, work_dir="/nowhere")
    assert (result["verdict"], result["failure"]["cause"]["path"]) == ("incomplete", "/nowhere")


IN_A_SMALL_ROOM = """
import json, subprocess, sys
directory, size, told = sys.argv[1], sys.argv[2], sys.stdin.read()
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory], check=True)
done = subprocess.run(sys.argv[3:], input=told, text=True, capture_output=True)
left = subprocess.run(["ls", "-A", directory], text=True, capture_output=True, check=True).stdout
print(json.dumps([done.stdout, done.stderr, done.returncode, left]))
"""


@pytest.fixture(scope="module")
def large(sample_of: SampleOf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that takes room."""
    src = tmp_path_factory.mktemp("large") / "large.snap"
    src.write_bytes(with_records(sample_of(binaries.NEW).path.read_bytes(), incompressible(6_000_000)))
    return src


@pytest.mark.parametrize(
    ("size", "phases"),
    [("4k", []), ("200k", ["start"]), ("9m", ["start"]), ("14m", ["start", "restore", "ready"])],
    ids=["it is started", "it takes the archive", "it restores", "it is proven"],
)
def test_a_full_disk(size: str, phases: list[str], large: Path, rehearse: Rehearse) -> None:
    # Less than the half minute for which a proof is tried again: a full disk is not waited for.
    told = arguments(**rehearse.options(large, timeout=25))
    apart = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", IN_A_SMALL_ROOM]
    done = subprocess.run(
        [*apart, str(rehearse.work_dir), size, *command("snapshot_rehearse")],
        input=told,
        text=True,
        capture_output=True,
        env=environment(),
        check=True,
        timeout=60,
    )
    stdout, stderr, code, left = json.loads(done.stdout)
    outcome = outcome_of(stdout, stderr, code)

    assert (outcome.result["verdict"], left) == ("incomplete", ""), outcome.result
    assert "no space is left" in outcome.result["msg"]
    assert list(outcome.result["rto"]) == phases
    assert faults_of("snapshot_rehearse", outcome.result) == []
