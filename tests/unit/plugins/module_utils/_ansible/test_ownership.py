# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group and mode of new files, set with Ansible's own helpers, whose ends become errors."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.ownership import (
    Ownership,
    _hint_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, OptionError


class Module:
    """What of AnsibleModule is used; modes alone are set, and what can't be is refused as Ansible does."""

    def __init__(self, **params: Any) -> None:
        self.params = {"owner": None, "group": None, "attributes": None, "mode": None, **params}
        self.flags = ""
        self.calls: list[tuple[str, ...]] = []

    def fail_json(self, msg: str, **facts: Any) -> None:
        raise SystemExit(f"the module would end here: {msg} {facts}")

    def load_file_common_arguments(self, params: dict[str, Any], path: str) -> dict[str, Any]:
        return {"path": path, "mode": params["mode"]}

    def set_fs_attributes_if_different(self, arguments: dict[str, Any], changed: bool) -> bool:
        mode = arguments["mode"]
        if mode is None:
            return changed
        if not isinstance(mode, int):
            self.fail_json("mode must be in octal or symbolic form", details="\x1b[2J")
        if stat.S_IMODE(os.stat(arguments["path"]).st_mode) == mode:
            return changed
        os.chmod(arguments["path"], mode)
        return True

    def set_owner_if_different(self, path: str, owner: str | None, changed: bool) -> bool:
        self.calls.append(("owner", path, str(owner)))
        return changed

    def set_group_if_different(self, path: str, group: str | None, changed: bool) -> bool:
        self.calls.append(("group", path, str(group)))
        return changed

    def get_file_attributes(self, path: str, include_version: bool) -> dict[str, Any]:
        return {"attr_flags": self.flags}

    def set_attributes_if_different(self, path: str, attributes: str, changed: bool) -> bool:
        self.calls.append(("attributes", path, attributes))
        return changed


@pytest.mark.parametrize("option", ["owner", "group"])
def test_names_are_looked_up_before_anything_is_written(option: str) -> None:
    with pytest.raises(OptionError, match=f"{option}: nobody-of-this-name does not exist") as caught:
        Ownership(Module(**{option: "nobody-of-this-name"})).check()
    assert option in caught.value.hint
    Ownership(Module(**{option: "root"})).check()
    # Numbers need no name.
    Ownership(Module(**{option: "54321"})).check()
    Ownership(Module()).check()


def test_a_new_file_gets_it_before_it_is_in_place(tmp_path: Path) -> None:
    new, dest = tmp_path / "new", tmp_path / "dest"
    new.touch(mode=0o600)
    dest.touch(mode=0o600)
    Ownership(Module(mode=0o640)).give(str(new), str(dest))
    assert [path.stat().st_mode & 0o777 for path in (new, dest)] == [0o640, 0o600]


@pytest.mark.parametrize(
    ("attributes", "flags", "taken_back"),
    [("+i", "ei", ["-i"]), ("+ia", "ia", ["-a", "-i"]), ("+S", "S", []), (None, "i", [])],
)
def test_attributes_that_would_pin_the_name_are_taken_back(
    tmp_path: Path, attributes: str | None, flags: str, taken_back: list[str]
) -> None:
    module = Module(attributes=attributes)
    module.flags = flags
    Ownership(module).give(str(tmp_path), "/dest")
    assert sorted(call[2] for call in module.calls) == taken_back
    assert {call[1] for call in module.calls} <= {str(tmp_path)}


def test_what_is_in_place_says_whether_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.snap"
    path.touch(mode=0o600)
    assert Ownership(Module(mode=0o640)).keep(str(path)) is True
    assert Ownership(Module(mode=0o640)).keep(str(path)) is False


def test_ansibles_own_end_becomes_an_error(tmp_path: Path) -> None:
    module = Module(mode="rubbish")
    for act in (lambda: Ownership(module).keep("/b/a.snap"), lambda: Ownership(module).give("/b/new", "/b/a.snap")):
        with pytest.raises(FileError, match=r"of /b/a\.snap: mode must be in octal") as caught:
            act()
        assert caught.value.hint == "Correct mode."
        assert "\\x1b[2J" in caught.value.message
    # And it is Ansible's again.
    with pytest.raises(SystemExit):
        module.fail_json("anything")


def test_a_directory_gets_owner_and_group_and_no_mode(tmp_path: Path) -> None:
    module = Module(owner="root", group="daemon", mode=0o777)
    tmp_path.chmod(0o700)
    Ownership(module).give_directory(str(tmp_path))
    assert module.calls == [("owner", str(tmp_path), "root"), ("group", str(tmp_path), "daemon")]
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("chattr failed", "attributes"),
        ("chown failed", "become"),
        ("chgrp failed", "become"),
        ("invalid selinux context", "SELinux"),
        ("mode must be in octal", "mode"),
    ],
)
def test_a_hint_for_each_reason(reason: str, words: str) -> None:
    assert words in _hint_for(reason)
