# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private copy of an archive that is needed as a plain file of this host, and the room that it takes."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from .._errors import FileError, printable
from .._system.atomic_files import free_bytes, require_directory
from .._system.scratch_file import ScratchFile
from .archive_source import ArchiveSource


class Room(NamedTuple):
    """What a copy takes at most: so many bytes, on the file system of a directory."""

    bytes: int
    directory: str


def room_for(source: ArchiveSource, directory: str | None) -> Room | None:
    """Return what a copy of an archive would take; None for one that can be used where it lies.

    :param directory: where the copy is to be; None for the system's directory for temporary files.
    :raises SnapshotError: the archive can't be found.
    """
    if source.is_plain_file:
        return None
    # A sealed archive is a little longer than its plain bytes.
    return Room(source.look().size, directory or tempfile.gettempdir())


@contextlib.contextmanager
def copy_in(room: Room | None, option: str, *, check: bool) -> Iterator[ScratchFile | None]:
    """Give the file that an archive's plain bytes are copied to; None where none is needed, and in check mode.

    Nobody else can open it, and nothing is left of it, also after this process was killed.

    :param option: what sets the directory, for the hint.
    :raises FileError: there can be no files, or there is not enough room.
    """
    if room is None:
        yield None
        return
    require_directory(room.directory)
    free = free_bytes(room.directory)
    if free < room.bytes:
        raise FileError(
            f"a copy of the archive needs {room.bytes} bytes, and {printable(room.directory)} has {free} free",
            hint=f"Free space there, or set {option} to a directory with more.",
            path=room.directory,
        )
    if check:
        yield None
        return
    with ScratchFile(room.directory) as copy:
        yield copy
