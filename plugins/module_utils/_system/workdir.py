# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory for something that must leave nothing behind, and what such a one left that was killed.

Each is locked by the process that made it, so that one in use is told from one that is left without asking for pids.
A server that may still run in one that is left is known by the note that it wrote before it began.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import tempfile
import time

from .._errors import FileError
from .atomic_files import file_errors
from .launch import identity_of
from .signals import uninterrupted

_PREFIX, _KEPT = "consul-rehearsal-", "kept-consul-rehearsal-"
NOTE = "process"
_DYING = 10.0


class WorkDir:
    """A new directory of ours alone, locked while we live. Leaving the ``with`` block removes it unless it is kept."""

    def __init__(self, parent: str) -> None:
        with file_errors("create a directory in", parent):
            self._descriptor, self.path = _locked(parent)
        self._kept = False

    def __enter__(self) -> WorkDir:
        return self

    def __exit__(self, *_exc: object) -> None:
        with uninterrupted():
            if not self._kept:
                remove(self.path)
            os.close(self._descriptor)

    def inside(self, name: str) -> str:
        """Return the path of something in it."""
        return os.path.join(self.path, name)

    def short(self, name: str) -> str:
        """Return a path by which this process reaches something in it that is no longer than a socket's may be."""
        plain = self.inside(name)
        # sun_path of unix(7): 108 bytes, the last of them zero.
        return plain if len(os.fsencode(plain)) < 108 else f"/proc/self/fd/{self._descriptor}/{name}"

    def write(self, name: str, text: str) -> str:
        """Put a file into it that only its owner may read, and return its path."""
        path = self.inside(name)
        with file_errors("write", path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def keep(self) -> str:
        """Leave it there, under a name by which no later run takes it for a leftover, and return its new path."""
        parent, name = os.path.split(self.path)
        kept = os.path.join(parent, _KEPT + name[len(_PREFIX) :])
        with uninterrupted(), file_errors("rename", self.path):
            os.rename(self.path, kept)
            self._kept = True
        self.path = kept
        return kept


def _locked(parent: str) -> tuple[int, str]:
    while True:
        path = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
        try:
            descriptor = _lock(path)
        except OSError:
            # Some network file systems have no locks; there nobody clears up after others.
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        if descriptor is not None:
            return descriptor, path
        # Another run took it for a leftover in the moment before it was locked.


def _lock(path: str) -> int | None:
    """Return a descriptor that holds the directory's lock; None when it is somebody else's, or gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:  # also a signal; it goes on to whoever asked
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def clear_leftovers(parent: str) -> list[str]:
    """End and remove what killed runs of this user left in a directory, and return the paths that are gone.

    :raises FileError: the directory can't be looked into, or a leftover can't be removed.
    """
    with file_errors("look into", parent):
        names = sorted(name for name in os.listdir(parent) if name.startswith(_PREFIX))
    return [path for path in (os.path.join(parent, name) for name in names) if _cleared(path)]


def _cleared(path: str) -> bool:
    if not _is_ours(path):
        return False
    with uninterrupted():
        try:
            descriptor = _lock(path)
        except OSError:
            # No locks on this file system, or it is no directory any more: who can't tell leaves it alone.
            return False
        if descriptor is None:
            return False
        try:
            remove(path)
        finally:
            os.close(descriptor)
    return True


def _is_ours(path: str) -> bool:
    # In a directory that all may write to, somebody else could lay out a note that names any process.
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def remove(path: str) -> None:
    """End what still runs in a directory, and remove it.

    :raises FileError: that can't be done.
    """
    _end(os.path.join(path, NOTE))
    with file_errors("remove", path):
        for last in (False, True):
            try:
                shutil.rmtree(path)
                return
            except FileNotFoundError:
                if not os.path.lexists(path):
                    return
            except OSError:
                if last:
                    raise


def _end(note: str) -> None:
    try:
        with open(note, encoding="ascii") as file:
            identity = file.read().strip()
        pid = int(identity.split()[0])
    except (OSError, ValueError, IndexError):
        return
    if identity_of(pid) != identity:
        return
    with contextlib.suppress(ProcessLookupError):
        _kill(pid, identity)
    end = time.monotonic() + _DYING
    while identity_of(pid) == identity:
        if time.monotonic() > end:
            raise FileError(f"process {pid} of {os.path.dirname(note)} does not end", hint="See what it waits for.")
        time.sleep(0.02)


def _kill(pid: int, identity: str) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        # Before Linux 5.3, or a Python that was built for such a one.
        os.kill(pid, signal.SIGKILL)
        return
    try:
        # Looked at once more: what the descriptor stands for can't become another process now.
        if identity_of(pid) == identity:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)
