# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a save is to go, and what it needs from this host; one case a row."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answers import half_then, other, real, reset, says
from support.archives import STATE, cut_inside
from support.faults import Fault, FaultServer
from support.limits import FILE_SIZE, NO_RIGHTS, can_give_up_rights
from support.modules import Runner
from support.scene import SNAPSHOT, Saving, contents
from support.states import incompressible, with_records

Options = dict[str, Any]


@pytest.fixture(scope="session")
def rights() -> None:
    """For tests of permissions: root is held to none of them."""
    if not can_give_up_rights():
        pytest.skip("this user is held to no permissions and can't change that (no CAP_SETPCAP)")


@pytest.fixture(scope="module")
def large(archive: bytes) -> bytes:
    """An archive of more than a megabyte."""
    return with_records(archive, incompressible(1_200_000))


def a_missing_directory(saving: Saving) -> Options:
    return {"dest": str(saving.directory / "missing" / "new.snap")}


def a_missing_directory_by_its_slash(saving: Saving) -> Options:
    return {"dest": f"{saving.directory}/missing/"}


def a_file_as_directory(saving: Saving) -> Options:
    return {"dest": str(saving.dest / "new.snap")}


def another_kind_of_file(saving: Saving) -> Options:
    return {"dest": str(saving.manifest)}


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (a_missing_directory, "file"),
        (a_missing_directory_by_its_slash, "file"),
        (a_file_as_directory, "file"),
        (another_kind_of_file, "dest"),
    ],
)
def test_a_place_that_will_not_do(
    saving: Saving, server: FaultServer, place: Callable[[Saving], Options], kind: str
) -> None:
    saving.check_failed(saving.save(**place(saving)), kind)
    # All of this is known before anything is asked for.
    assert server.count(*SNAPSHOT) == 0


def test_another_kind_of_file_is_replaced_by_force(saving: Saving, server: FaultServer) -> None:
    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append))
    saving.dest.write_text("precious notes", encoding="utf-8")
    saving.check_saved(saving.save(force=True), sent[-1])


@pytest.mark.parametrize("damage", [lambda data: cut_inside(data, STATE), lambda data: data + b"x", lambda _data: b""])
def test_a_damaged_archive_is_replaced(saving: Saving, server: FaultServer, damage: Callable[[bytes], bytes]) -> None:
    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append))
    saving.dest.write_bytes(damage(saving.dest.read_bytes()))
    saving.check_saved(saving.save(), sent[-1])


@pytest.mark.parametrize("text", ["", "{", '{"schema": "another"}', "null"])
def test_a_manifest_that_is_none_does_not_matter(saving: Saving, server: FaultServer, text: str) -> None:
    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append))
    saving.manifest.write_text(text, encoding="utf-8")
    saving.check_saved(saving.save(), sent[-1])


@pytest.mark.usefixtures("rights")
@pytest.mark.parametrize("dest", ["backup.snap", "new.snap", ""])
def test_a_directory_that_may_not_be_written(saving: Saving, server: FaultServer, dest: str) -> None:
    saving.directory.chmod(0o500)
    try:
        outcome = saving.finish(saving.start_save(limits=[NO_RIGHTS], dest=str(saving.directory / dest)))
    finally:
        saving.directory.chmod(0o700)
    saving.check_failed(outcome, "file")
    assert "become" in outcome.failure["hint"]
    assert server.count(*SNAPSHOT) == 0


@pytest.mark.usefixtures("rights")
def test_a_dest_that_may_not_be_read(saving: Saving) -> None:
    # Without its manifest nobody knows whether it is worth keeping.
    saving.manifest.unlink()
    before = contents(saving.directory)
    saving.dest.chmod(0)
    outcome = saving.finish(saving.start_save(limits=[NO_RIGHTS]))
    saving.dest.chmod(0o600)
    assert outcome.failure["kind"] == "file"
    assert contents(saving.directory) == before


@pytest.mark.usefixtures("rights")
@pytest.mark.parametrize("option", ["token_file", "ca_path", "client_cert"])
def test_a_file_that_may_not_be_read(
    saving: Saving, server: FaultServer, tmp_path_factory: pytest.TempPathFactory, token: str, option: str
) -> None:
    secret = tmp_path_factory.mktemp("secret") / "file"
    secret.write_text(token, encoding="ascii")
    secret.chmod(0)
    outcome = saving.finish(saving.start_save(limits=[NO_RIGHTS], **{"token": None, option: str(secret)}))
    saving.check_failed(outcome, "option")
    assert str(secret) in outcome.result["msg"]
    assert server.requests == []


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe", b"two words", b"a\r\nInjected: header"])
def test_a_token_file_that_holds_no_token(
    saving: Saving, server: FaultServer, tmp_path_factory: pytest.TempPathFactory, content: bytes | None
) -> None:
    path = tmp_path_factory.mktemp("secret") / "token"
    if content is not None:
        path.write_bytes(content)
    saving.check_failed(saving.save(token=None, token_file=str(path)), "option")
    assert server.requests == []


def test_a_limit_of_file_size(saving: Saving, server: FaultServer, large: bytes) -> None:
    server.on(*SNAPSHOT, other(large))
    outcome = saving.finish(saving.start_save(limits=[FILE_SIZE, "200000"]))
    saving.check_failed(outcome, "file")
    assert outcome.result["attempts"] == []
    assert outcome.failure["hint"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def saving_small(runner: Runner, server: FaultServer, token: str, older: Path, small_disk: Path) -> Saving:
    """A save to that file system."""
    return Saving(runner, server, token, older=older, directory=small_disk)


def test_a_disk_that_fills_up(saving_small: Saving, server: FaultServer, large: bytes) -> None:
    server.on(*SNAPSHOT, other(large))
    outcome = saving_small.save()
    saving_small.check_failed(outcome, "file")
    assert "No space left" in outcome.result["msg"]
    assert outcome.result["attempts"] == []


def test_a_disk_that_is_full(saving_small: Saving, server: FaultServer) -> None:
    with (saving_small.directory / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    before = contents(saving_small.directory)
    outcome = saving_small.save()
    assert outcome.failure["kind"] == "file"
    assert "bytes left" in outcome.result["msg"]
    assert contents(saving_small.directory) == before
    # Known before the servers were put to work.
    assert server.count(*SNAPSHOT) == 0


@pytest.mark.parametrize("answer", [real(lambda body: cut_inside(body, STATE)), half_then(reset), says(503)])
def test_a_directory_is_left_as_it_was(saving: Saving, server: FaultServer, answer: Fault) -> None:
    server.on(*SNAPSHOT, answer)
    outcome = saving.save(dest=str(saving.directory))
    assert outcome.failed
    saving.check_untouched()
