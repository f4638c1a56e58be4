# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group, mode and attributes: what can't be set leaves everything as it was and is one clear message."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.answers import real
from support.faults import FaultServer
from support.limits import NO_CHOWN, can_give_up_rights
from support.modules import Outcome
from support.scene import SNAPSHOT, Saving, contents

NOBODY = "no-such-user"


def check_refused(saving: Saving, outcome: Outcome, kind: str, words: str) -> None:
    saving.check_failed(outcome, kind)
    assert words in outcome.result["msg"]
    assert outcome.failure["hint"]
    assert "\n" not in outcome.result["msg"]


@pytest.mark.parametrize("check", [False, True], ids=["run", "check mode"])
@pytest.mark.parametrize("option", ["owner", "group"])
def test_a_name_that_nobody_has_is_known_before_anything_is_asked(
    saving: Saving, server: FaultServer, option: str, check: bool
) -> None:
    outcome = saving.save(**{option: NOBODY, "check": check})
    check_refused(saving, outcome, "option", f"{option}: {NOBODY} does not exist")
    assert server.requests == []


@pytest.mark.parametrize("into", ["file", "directory"])
@pytest.mark.parametrize("mode", ["rubbish", "99999"])
def test_a_mode_that_is_none(saving: Saving, into: str, mode: str) -> None:
    dest = {"dest": str(saving.directory)} if into == "directory" else {}
    outcome = saving.save(mode=mode, force=True, **dest)
    check_refused(saving, outcome, "file", "can't set owner, group, mode or attributes of")


@pytest.mark.skipif(not can_give_up_rights(), reason="needs CAP_SETPCAP")
@pytest.mark.parametrize("option", ["owner", "group"])
def test_a_user_who_may_not_give_files_away(saving: Saving, option: str) -> None:
    outcome = saving.finish(saving.start_save(limits=[NO_CHOWN], force=True, **{option: "daemon"}))
    check_refused(saving, outcome, "file", "ch")
    assert "become" in outcome.failure["hint"]
    assert str(saving.dest) in outcome.result["msg"]


@pytest.fixture
def unsupported(tmp_path: Path) -> Path:
    """A directory on a file system without the attributes of ext4."""
    place = Path("/dev/shm") / f"attributes-{tmp_path.name}"
    place.mkdir(mode=0o700)
    probe = place / "probe"
    probe.touch()
    done = subprocess.run(["chattr", "+S", str(probe)], capture_output=True, check=False)
    probe.unlink()
    if done.returncode == 0:
        place.rmdir()
        pytest.skip("this file system knows that attribute")
    return place


@pytest.fixture
def saving_there(saving: Saving, unsupported: Path) -> Any:
    """The same scene in that directory."""
    for path in saving.directory.iterdir():
        shutil.copy2(path, unsupported / path.name)
    yield saving
    shutil.rmtree(unsupported)


@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
def test_attributes_that_the_file_system_does_not_know(saving_there: Saving, unsupported: Path) -> None:
    before = contents(unsupported)
    dest = unsupported / saving_there.dest.name
    outcome = saving_there.save(dest=str(dest), attributes="+S", force=True)
    assert outcome.failure["kind"] == "file", outcome.result["msg"]
    assert "chattr failed" in outcome.result["msg"]
    assert "attributes" in outcome.failure["hint"]
    assert contents(unsupported) == before


def test_what_can_be_set_is_set_before_the_archive_is_in_place(saving: Saving, server: FaultServer) -> None:
    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append))
    outcome = saving.save(mode="0640", force=True)
    assert not outcome.failed, outcome.result
    assert saving.dest.read_bytes() == sent[-1]
    for path in (saving.dest, saving.manifest):
        assert path.stat().st_mode & 0o777 == 0o640
    again = saving.save(mode="0640")
    assert not again.result["changed"]
    looser = saving.save(mode="0644")
    assert looser.result["changed"]
    assert saving.dest.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
def test_an_archive_can_be_made_immutable(saving: Saving) -> None:
    probe = saving.directory / "probe"
    probe.touch()
    settable = subprocess.run(["chattr", "+i", str(probe)], capture_output=True, check=False).returncode == 0
    subprocess.run(["chattr", "-i", str(probe)], capture_output=True, check=False)
    probe.unlink()
    if not settable:
        pytest.skip("immutable files need a file system that has them, and root")
    dest = saving.directory / "new.snap"
    try:
        outcome = saving.save(dest=str(dest), attributes="+i")
        assert not outcome.failed, outcome.result
        shown = subprocess.run(["lsattr", str(dest)], capture_output=True, text=True, check=True).stdout
        assert "i" in shown.split()[0]
    finally:
        for path in (dest, dest.with_name(f"{dest.name}.manifest.json")):
            subprocess.run(["chattr", "-i", str(path)], capture_output=True, check=False)
