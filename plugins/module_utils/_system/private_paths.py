# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nobody but this user, or root, can have put there what lies at a path."""

from __future__ import annotations

import os
import stat

_LINKS = 40
"""Links that the kernel follows for one path at most."""


def is_ours_alone(path: str) -> bool:
    """Whether only this user and root can change what a path leads to: the file, its directory, and what leads there.

    A directory further above may be one that all may write to if it is sticky, as ``/tmp`` is: nobody can rename there
    what belongs to somebody else. False where that can't be seen.
    """
    try:
        way, end = _followed(os.path.join(os.getcwd(), path))
        directory = os.lstat(os.path.dirname(end))
        file = os.lstat(end)
    except (OSError, ValueError):
        return False
    if _others_write(directory) or _others_write(file):
        return False
    return all(_is_ours(one) and (not _others_write(one) or one.st_mode & stat.S_ISVTX) for one in (*way, file))


def _followed(path: str) -> tuple[list[os.stat_result], str]:
    """Return the status of everything on the way to a path's end, links as well, and where that end is.

    :raises OSError: it can't be followed. :raises ValueError: it leads through too many links.
    """
    here, links = "/", 0
    way = [os.lstat(here)]
    left = _parts(path)
    while left:
        part = left.pop()
        if part == "..":
            here = os.path.dirname(here)
            continue
        there = os.path.join(here, part)
        status = os.lstat(there)
        way.append(status)
        if not stat.S_ISLNK(status.st_mode):
            here = there
            continue
        links += 1
        if links > _LINKS:
            raise ValueError("too many links")
        target = os.readlink(there)
        here = "/" if target.startswith("/") else here
        left.extend(_parts(target))
    return way, here


def _parts(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())


def _others_write(status: os.stat_result) -> bool:
    # The bits of the group are also the mask of what a list of further users (an ACL) may do.
    return bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) and not stat.S_ISLNK(status.st_mode)
