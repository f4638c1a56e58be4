# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a textfile collector: read, merged and replaced in one step, while no other run does the same."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._errors import FileError, OptionError
from ..._system.atomic_files import (
    AtomicFile,
    directory_lock,
    file_errors,
    remove_leftovers,
    require_directory,
    require_no_directory,
)
from .history import is_report
from .metrics import Sample, merge, of_backups, of_report

NEW_MODE = 0o644
"""A collector runs as another user; the file holds names and numbers."""
_LIMIT = 1 << 28


class Updated(NamedTuple):
    """The text before and after, and the clusters that this run says something about."""

    before: str
    after: str
    clusters: list[str]


def update(
    path: str,
    *,
    report: str | None,
    backups: Iterable[Mapping[str, Any]],
    attempted: Iterable[str],
    failures: Mapping[str, Any] | None = None,
    expected: Iterable[str] = (),
    write: bool,
) -> Updated:
    """Put what a report (its path) and backups say into the file at ``path``; without ``write`` only say what would be.

    :raises FileError: a file can't be read or written, or holds something else. :raises OptionError: an entry of
        ``backups`` can't be used.
    """
    directory = os.path.dirname(os.path.abspath(path))
    require_directory(directory)
    require_no_directory(path)
    now = time.time()
    samples = _of_report_file(report) if report else []
    try:
        samples += of_backups(backups, attempted, now, failures=failures, expected=expected)
    except (KeyError, TypeError, ValueError) as error:
        raise OptionError(f"backups: {error}", hint="Correct the entries of backups.") from error
    with directory_lock(directory):
        before = _read(path)
        try:
            text = before.decode()
            after = merge(text, samples, now)
        except ValueError as error:
            raise FileError(
                f"{path} was left as it is: {error}", hint="Name another file, or remove this one.", path=path
            ) from error
        if write:
            remove_leftovers(directory)
            _replace(path, directory, after)
    return Updated(text, after, sorted({one.cluster for one in samples}))


def _of_report_file(path: str) -> list[Sample]:
    with file_errors("read", path), open(path, encoding="utf-8") as source:
        try:
            document = json.loads(source.read(_LIMIT))
        except (ValueError, RecursionError):
            document = None
    if not is_report(document):
        raise FileError(f"{path} is not a report of rehearsals", hint="Name a report.json.", path=path)
    return of_report(document)


def _read(path: str) -> bytes:
    with file_errors("read", path):
        try:
            with open(path, "rb") as source:
                return source.read(_LIMIT)
        except FileNotFoundError:
            return b""


def _replace(path: str, directory: str, text: str) -> None:
    with AtomicFile(directory) as partial:
        # Names from inventories may hold what UTF-8 can't.
        partial.write(text.encode("utf-8", "replace"))
        with file_errors("write to", directory):
            os.chmod(partial.path, _mode_of(path))
        partial.copy_ownership(path)
        partial.sync()
        partial.publish(path)


def _mode_of(path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return NEW_MODE
