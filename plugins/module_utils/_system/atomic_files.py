# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local files that are the old one or the new one, whole, at every instant, and private from their first byte."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from .._errors import FileError

READ_SIZE = 1 << 17
_PREFIX, _SUFFIX = ".snapshot-", ".partial"

_BECOME = "Run as a user who may do that (become), or choose a directory elsewhere."
_HINTS = {
    errno.ENOSPC: "Free space on that file system, or choose a directory elsewhere.",
    errno.EDQUOT: "The quota is used up. Free space, or choose a directory elsewhere.",
    errno.EACCES: _BECOME,
    errno.EPERM: _BECOME,
    errno.ENOENT: "Create it first, or correct the path.",
    errno.EROFS: "The file system is mounted read-only. Choose a directory elsewhere.",
    errno.EFBIG: "The file system, or a limit of this process (ulimit -f), does not allow a file of that size.",
}
_READING = ("read", "look", "open")
_HINTS_FOR_READING = {
    errno.ENOENT: "Correct the path.",
    errno.ENOTDIR: "Correct the path: a part of it is a file.",
    errno.EISDIR: "Name a file: this is a directory.",
    errno.EACCES: "Run as a user who may read it (become), or change its permissions.",
    errno.EPERM: "Run as a user who may read it (become), or change its permissions.",
}
_NO_DIRECTORY_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EISDIR)
"""What file systems answer that do not sync directories: CIFS, some FUSE ones, and those of the kernel itself."""


class Digest(NamedTuple):
    """Size in bytes and SHA-256 in hex of some bytes."""

    size: int
    sha256: str


class Stamp(NamedTuple):
    """What changes with a file's content, without reading it."""

    device: int
    inode: int
    size: int
    modified_ns: int


@contextlib.contextmanager
def file_errors(doing: str, path: str) -> Iterator[None]:
    """Turn an OSError into a FileError that says what was being done to which path, and what helps."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hints = _HINTS_FOR_READING if doing.startswith(_READING) else _HINTS
        hint = hints.get(error.errno or 0, "")
        raise FileError(f"can't {doing} {path}: {reason}", hint=hint, path=path) from error


def require_directory(path: str) -> None:
    """Make sure that files can be put into a directory.

    :raises FileError: it isn't there, is none, or can't be written.
    """
    with file_errors("use the directory", path):
        if not os.path.isdir(path):
            raise OSError(errno.ENOTDIR if os.path.exists(path) else errno.ENOENT, "")
        if not os.access(path, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, "")


def existing_part(path: str) -> str:
    """Return the path itself, or as much of its beginning as is there."""
    path = os.path.abspath(path)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def make_directory(path: str) -> tuple[str, ...]:
    """Create a directory, and those above it that are missing, for nobody else to look into; return what was created.

    :raises FileError: one of them can't be created.
    """
    missing = []
    above = os.path.abspath(path)
    while not os.path.lexists(above):
        missing.append(above)
        above = os.path.dirname(above)
    made = []
    for directory in reversed(missing):
        # Another run may be faster; its directory is as good.
        with file_errors("create the directory", directory), contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o700)
            made.append(directory)
    return tuple(made)


def require_no_directory(path: str) -> None:
    """Make sure that a file can be put at ``path`` as far as what lies there goes.

    :raises FileError: a directory is in the way.
    """
    if os.path.isdir(path):
        raise FileError(
            f"can't put a file at {path}: a directory is in the way", hint="Move that directory away.", path=path
        )


def free_bytes(directory: str) -> int:
    """Return how many bytes an unprivileged user may still write there.

    :raises FileError: the directory can't be looked at.
    """
    with file_errors("look at", directory):
        status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


class AtomicFile:
    """A new file under way, beside the place where it belongs; nobody else can read it.

    Leaving the ``with`` block removes it unless ``publish`` has put it in place. It is locked for as long as its writer
    lives, so that what a killed writer left behind can be told from what another one is writing.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        with file_errors("create a file in", directory):
            self._descriptor, self.path = _locked_file(directory)
        self._placed = False
        self._synced = False

    def __enter__(self) -> AtomicFile:
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._descriptor)
        if not self._placed:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)

    def write(self, data: bytes) -> None:
        """Append all of ``data``.

        :raises FileError: the disk is full, and the like.
        """
        view = memoryview(data)
        self._synced = False
        with file_errors("write to", self._directory):
            while view:
                view = view[os.write(self._descriptor, view) :]

    def sync(self) -> None:
        """Wait until the content is on the disk; that takes no time when nothing was written since the last time.

        :raises FileError: it can't be put there.
        """
        if self._synced:
            return
        with file_errors("write to", self._directory):
            os.fsync(self._descriptor)
        self._synced = True

    def copy_ownership(self, path: str) -> None:
        """Take on owner and permissions of another file, where there is one and as far as that is allowed.

        A link has none that mean anything: who may write to the directory could point it anywhere.
        """
        self._synced = False
        with contextlib.suppress(OSError):
            like = os.lstat(path)
            if not stat.S_ISREG(like.st_mode):
                return
            os.fchown(self._descriptor, like.st_uid, like.st_gid)
            os.fchmod(self._descriptor, stat.S_IMODE(like.st_mode))

    def truncate(self) -> None:
        """Drop what was written, to begin anew."""
        self._synced = False
        with file_errors("write to", self._directory):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)

    def publish(self, dest: str) -> None:
        """Put the file at ``dest`` in one step, in place of what was there; ``sync`` goes before.

        :raises FileError: it can't be renamed.
        """
        with file_errors("put a file at", dest):
            os.replace(self.path, dest)
        self._placed = True


def _locked_file(directory: str) -> tuple[int, str]:
    while True:
        descriptor, path = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=directory)
        try:
            with contextlib.suppress(OSError):  # some network file systems have no locks; there nobody clears up
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return descriptor, path
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            raise
        # Another run took it for a leftover in the moment before it was locked.
        os.close(descriptor)


def sync_directory(directory: str) -> None:
    """Wait until renames within the directory are on the disk, where its file system can do that for directories.

    :raises FileError: the directory can't be opened, or the disk reports an error.
    """
    with file_errors("write to", directory):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY_SYNC:
                raise
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def directory_lock(directory: str) -> Iterator[None]:
    """Hold the directory while an archive and its manifest are put in place, so that two runs don't mix theirs."""
    with file_errors("open", directory):
        descriptor = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_leftovers(directory: str) -> list[str]:
    """Remove partial files whose writer was killed, and return their paths. Those of a living one are locked."""
    removed = []
    with file_errors("look into", directory):
        names = [name for name in os.listdir(directory) if name.startswith(_PREFIX) and name.endswith(_SUFFIX)]
    for name in names:
        path = os.path.join(directory, name)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
            removed.append(path)
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return removed


def write_private(path: str, data: bytes, *, like: str | None = None) -> None:
    """Put a small file at ``path``: whole, on the disk, and readable by its owner alone.

    :param like: a file whose owner and permissions it gets in place of that.
    :raises FileError: it can't be written.
    """
    with AtomicFile(os.path.dirname(path) or ".") as partial:
        partial.write(data)
        if like is not None:
            partial.copy_ownership(like)
        partial.sync()
        partial.publish(path)


def open_archive(path: str) -> BinaryIO:
    """Open an archive for reading.

    :raises FileError: it isn't there, can't be read, or is not a regular file.
    """
    with file_errors("read", path):
        if os.path.isdir(path):
            raise OSError(errno.EISDIR, "")
        descriptor = _open_regular(path)
    if descriptor is None:
        raise FileError(f"can't read {path}: it is not a regular file", hint="Name an archive.", path=path)
    return open(descriptor, "rb", buffering=0)


def read_beginning(path: str, limit: int) -> bytes:
    """Return the first ``limit`` bytes of a file that may come from anybody.

    :raises OSError: it isn't there, can't be read, or is not a regular file.
    """
    descriptor = _open_regular(path)
    if descriptor is None:
        raise OSError(errno.EINVAL, "it is not a regular file")
    with open(descriptor, "rb") as source:
        return source.read(limit)


def _open_regular(path: str) -> int | None:
    # Without O_NONBLOCK, opening a pipe would wait until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def stamp_of(path: str) -> Stamp:
    """Return a file's stamp.

    :raises FileError: it isn't there.
    """
    with file_errors("read", path):
        return _stamp(os.stat(path))


def open_unchanged(path: str, stamp: Stamp, digest: Digest | None = None) -> BinaryIO:
    """Open an archive for reading, if it is still the one that had this stamp.

    :param digest: what its bytes had. A confirmation renews an archive's time; then the bytes are compared.
    :raises FileError: it isn't, or can't be read.
    """
    archive = open_archive(path)
    found = _stamp(os.fstat(archive.fileno()))
    if found == stamp:
        return archive
    only_the_time = found._replace(modified_ns=stamp.modified_ns) == stamp
    if digest is not None and only_the_time and digest_of(path) == digest:
        return archive
    archive.close()
    raise FileError(f"{path} was changed after it had been verified", hint="Run it again.", path=path)


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def read_pieces(path: str, digest: hashlib._Hash | None = None) -> Iterator[bytes]:
    """Yield a file's bytes in pieces, taking them into ``digest`` as well.

    :raises FileError: it can't be read.
    """
    with open_archive(path) as source:
        while True:
            with file_errors("read", path):
                piece = source.read(READ_SIZE)
            if not piece:
                return
            if digest is not None:
                digest.update(piece)
            yield piece


def digest_of(path: str) -> Digest:
    """Return a file's size and checksum.

    :raises FileError: it can't be read.
    """
    digest, size = hashlib.sha256(), 0
    for piece in read_pieces(path, digest):
        size += len(piece)
    return Digest(size, digest.hexdigest())
