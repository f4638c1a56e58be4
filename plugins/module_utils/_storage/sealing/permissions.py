# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else can read the keys, or decide whose keys count."""

from __future__ import annotations

import os
import stat

from ..settings import SealingSettings

_READABLE, _WRITABLE = stat.S_IRGRP | stat.S_IROTH, stat.S_IWGRP | stat.S_IWOTH


def remarks_on_files(settings: SealingSettings) -> list[str]:
    """Return in words what is risky about the permissions of the files that settings name.

    What can't be looked at is left to whoever uses it.
    """
    remarks = []
    path, mode = settings.identity_file, _mode_of(settings.identity_file)
    if mode & _READABLE:
        remarks.append(f"Others can read {path} (mode {mode:04o}), which opens sealed archives. Run: chmod 600 {path}")
    for path, meaning in (
        (settings.recipients_file, "who can open archives"),
        (settings.allowed_signers, "whose signatures count"),
        (settings.revoked_signers, "whose signatures count"),
    ):
        mode = _mode_of(path)
        if mode & _WRITABLE:
            remarks.append(
                f"Others can write to {path} (mode {mode:04o}), and decide {meaning}. Run: chmod go-w {path}"
            )
    return remarks


def _mode_of(path: str | None) -> int:
    """Return the permissions of a file; 0 where there is none."""
    if path is None:
        return 0
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return 0
