# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group, mode and attributes of what a module writes: set before it is in place, so that all or nothing is."""

from __future__ import annotations

import contextlib
import grp
import pwd
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from .._errors import FileError, OptionError, printable

_BINDING = "ia"
"""Attributes with which Linux lets nobody rename a file: immutable, append only."""


class Ownership:
    """What a module's own file options (``add_file_common_args``) ask for.

    Ansible's helpers end the module by themselves when they fail; here they raise in place of that.
    """

    def __init__(self, module: Any) -> None:
        self._module = module
        self._params: dict[str, Any] = module.params

    def check(self) -> None:
        """Make sure that owner and group exist on this host, which can be known before anything is written.

        :raises OptionError: one of them does not.
        """
        lookups: dict[str, Callable[[str], Any]] = {"owner": pwd.getpwnam, "group": grp.getgrnam}
        for option, by_name in lookups.items():
            told = self._params.get(option)
            if told is None or told.isdecimal():
                continue
            try:
                by_name(told)
            except (KeyError, ValueError):
                raise OptionError(
                    f"{option}: {printable(told)} does not exist on this host",
                    hint=f"Correct {option}, or create it before.",
                ) from None

    def give(self, path: str, dest: str) -> None:
        """Give a new file at ``path`` what the file at ``dest``, whose place it takes next, is to have.

        Attributes that would keep it from being renamed are tried, and taken back.

        :raises FileError: some of it can't be set.
        """
        self._set({**self._arguments(dest), "path": path}, dest)
        if set(self._params.get("attributes") or "") & set(_BINDING):
            with self._raising(dest):
                flags = self._module.get_file_attributes(path, include_version=False).get("attr_flags", "")
                for flag in set(flags) & set(_BINDING):
                    self._module.set_attributes_if_different(path, f"-{flag}", False)

    def keep(self, path: str) -> bool:
        """Give it to a file that is in place; return whether anything was, or in check mode would be, changed.

        :raises FileError: some of it can't be set.
        """
        return self._set(self._arguments(path), path)

    def give_directory(self, path: str) -> None:
        """Give a directory owner and group.

        :raises FileError: they can't be set.
        """
        with self._raising(path):
            self._module.set_owner_if_different(path, self._params["owner"], False)
            self._module.set_group_if_different(path, self._params["group"], False)

    def _arguments(self, path: str) -> dict[str, Any]:
        with self._raising(path):
            return dict(self._module.load_file_common_arguments(self._params, path=path))

    def _set(self, arguments: dict[str, Any], shown: str) -> bool:
        with self._raising(shown):
            return bool(self._module.set_fs_attributes_if_different(arguments, False))

    @contextlib.contextmanager
    def _raising(self, path: str) -> Iterator[None]:
        def fail_json(msg: str, **told: Any) -> NoReturn:
            reason = printable(": ".join(filter(None, [msg, str(told.get("details") or "").strip()])))
            raise FileError(
                f"can't set owner, group, mode or attributes of {path}: {reason}", hint=_hint_for(msg), path=path
            )

        ending = self._module.fail_json
        self._module.fail_json = fail_json
        try:
            yield
        finally:
            self._module.fail_json = ending


def _hint_for(reason: str) -> str:
    if reason.startswith("chattr"):
        return "Leave attributes out, or set those that this file system supports."
    if reason.startswith(("chown", "chgrp")):
        return "Run as root (become), or leave owner and group out."
    if "selinux" in reason:
        return "Correct the SELinux options, or leave them out."
    return "Correct mode."
