# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file without a name: nobody else can open it, and it is gone with this process, however that ends."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile

from .atomic_files import file_errors

_NOT_THERE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)
"""What file systems and kernels answer that have no files without a name."""


class ScratchFile:
    """A new file in a directory, without a name there. Leaving the ``with`` block frees its space.

    ``path``: by which this process and its children can open it again. ``directory``: whose file system it is on.
    """

    def __init__(self, directory: str) -> None:
        """:raises FileError: there can be none."""
        self.directory = directory
        with file_errors("create a file in", directory):
            self._descriptor = _nameless(directory)
        self.path = f"/proc/self/fd/{self._descriptor}"

    def __enter__(self) -> ScratchFile:
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._descriptor)

    def write(self, data: bytes) -> None:
        """Append all of ``data``.

        :raises FileError: the disk is full, and the like.
        """
        view = memoryview(data)
        with file_errors("write to", self.directory):
            while view:
                view = view[os.write(self._descriptor, view) :]

    def truncate(self) -> None:
        """Drop what was written, to begin anew."""
        with file_errors("write to", self.directory):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)


def _nameless(directory: str) -> int:
    with contextlib.suppress(AttributeError):
        try:
            return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
    # It has a name for a moment, while it is empty and nobody else can open it.
    descriptor, path = tempfile.mkstemp(prefix=".consul-", dir=directory)
    try:
        os.unlink(path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
