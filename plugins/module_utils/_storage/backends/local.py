# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory as a store. Beyond what every store does, it puts an archive and its manifest in place under one lock.

Nothing here follows a link that lies in the directory when it lists or writes, or waits for a pipe.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence

from ..._errors import FailureKind, FileError, StoreError, printable
from ..._system.atomic_files import (
    READ_SIZE,
    AtomicFile,
    directory_lock,
    file_errors,
    open_archive,
    read_beginning,
    remove_leftovers,
    require_no_directory,
    sync_directory,
)
from ..._system.private_paths import is_ours_alone
from ..location import FILE, Location
from ..protocol import Item, Properties, Remnant
from ..settings import ObjectLock, StoreSettings

Prepare = Callable[[str, str], None]
"""Gets the path of a new file, and the one where it is to be."""
Files = Sequence[tuple[str, bytes]]
"""Small files, as names and contents, in the order in which they are put in place."""


class LocalStore:
    """The files of one directory; see ``protocol.Store``. Settings mean nothing to it."""

    def __init__(self, location: Location, settings: StoreSettings = StoreSettings()) -> None:  # noqa: B008
        del settings
        self.location = location.as_store()
        self.directory = self.location.path.rstrip(os.sep) or os.sep

    @classmethod
    def at(cls, directory: str) -> LocalStore:
        """Return the store of a directory, which may be written with or without a slash at its end."""
        return cls(Location(FILE, "", directory or "."))

    @property
    def is_private(self) -> bool:
        """Whether only this user, or root, can write to the directory."""
        return is_ours_alone(self.directory)

    @property
    def may_lock(self) -> bool:
        """A directory has no locks."""
        return False

    def place(self, name: str) -> str:
        """Return the path of a name."""
        return os.path.join(self.directory, name)

    def list(self, prefix: str = "") -> Iterator[Item]:
        """Yield what is in the directory; what is not a regular file says so.

        :raises FileError: the directory can't be read.
        """
        with file_errors("look into", self.directory):
            names = [name for name in os.listdir(self.directory) if name.startswith(prefix)]
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                yield self._item(name)

    def _item(self, name: str) -> Item:
        try:
            name.encode("utf-8")
            status = os.lstat(self.place(name))
        except UnicodeEncodeError:
            return Item(name, 0, 0.0, "its name is not UTF-8")
        except FileNotFoundError:
            raise
        except OSError as error:
            return Item(name, 0, 0.0, f"can't be examined: {error.strerror}")
        fault = None
        if stat.S_ISLNK(status.st_mode):
            fault = "is a symbolic link"
        elif not stat.S_ISREG(status.st_mode):
            fault = "is not a regular file"
        return Item(name, status.st_size, status.st_mtime, fault)

    def properties(self, name: str) -> Properties:
        """Return what the file system says of a file.

        :raises StoreError: there is none. :raises FileError: it can't be looked at.
        """
        path = self.place(name)
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            raise _missing(path) from None
        except OSError as error:
            raise _unreadable(path, error) from error
        return Properties(status.st_size, status.st_mtime, _version(status))

    @contextlib.contextmanager
    def read(self, name: str, *, start: int = 0, version: str | None = None) -> Iterator[Iterator[bytes]]:
        """Give a file's bytes, from one on; see ``protocol.Store.read``.

        :raises FileError: it isn't there, can't be read, is not a regular file, or is not of this version.
        """
        path = self.place(name)
        with open_archive(path) as source:
            if version is not None and _version(os.fstat(source.fileno())) != version:
                raise FileError(f"{path} was changed after it had been looked at", hint="Run it again.", path=path)

            def pieces() -> Iterator[bytes]:
                while True:
                    with file_errors("read", path):
                        piece = source.read(READ_SIZE)
                    if not piece:
                        return
                    yield piece

            with file_errors("read", path):
                source.seek(start)
            yield pieces()

    def read_small(self, name: str, limit: int) -> bytes:
        """Return the beginning of a file.

        :raises StoreError: there is none. :raises FileError: it can't be read, or is not a regular file.
        """
        path = self.place(name)
        try:
            return read_beginning(path, limit)
        except FileNotFoundError:
            raise _missing(path) from None
        except OSError as error:
            raise _unreadable(path, error) from error

    def writer(self) -> LocalWriter:
        """Return a writer for one new file, which is private from its first byte."""
        return LocalWriter(self)

    def put_new(self, name: str, data: bytes) -> None:
        """Store a small file, whole and on the disk, in one step.

        :raises StoreError: there is something of that name. :raises FileError: it can't be written.
        """
        self.put_small(name, data)

    def put_small(self, name: str, data: bytes, *, like: str | None = None) -> None:
        """Do what ``put_new`` does; the file gets owner and permissions of ``like``, another name, if that is there."""
        with AtomicFile(self.directory) as partial:
            partial.write(data)
            if like is not None:
                partial.copy_ownership(self.place(like))
            partial.sync()
            with directory_lock(self.directory):
                self.require_new(name)
                partial.publish(self.place(name))
        sync_directory(self.directory)

    def require_new(self, name: str) -> None:
        """Make sure that nothing has this name.

        :raises StoreError: something has.
        """
        path = self.place(name)
        if os.path.lexists(path):
            raise StoreError(
                f"{printable(path)} exists already, and nothing is overwritten there",
                kind=FailureKind.STORE_EXISTS,
                path=path,
            )

    def remove(self, name: str) -> None:
        """Remove a file.

        :raises FileError: that isn't allowed.
        """
        with file_errors("remove", self.place(name)), contextlib.suppress(FileNotFoundError):
            os.unlink(self.place(name))

    def clean(self) -> Sequence[str]:
        """Remove partial files whose writer was killed, and return their paths.

        :raises FileError: the directory can't be read.
        """
        return remove_leftovers(self.directory)

    def extend_lock(self, name: str) -> None:
        """Do nothing: a directory has no locks."""

    def hold(self, name: str, *, on: bool) -> None:
        """Refuse: a directory has no legal holds.

        :raises StoreError: always.
        """
        del name, on
        raise StoreError("a directory has no legal holds", hint="Use a bucket with object lock.")

    def versioning(self) -> None:
        """Return None: a directory has no versions."""

    def lock_default(self) -> ObjectLock | None:
        """Return None: a directory has no locks."""

    def overwrite(self, name: str, data: bytes, *, like: str | None = None) -> None:
        """Write a file in place of what has its name; ``like``: see ``put_small``.

        :raises FileError: that isn't allowed.
        """
        with AtomicFile(self.directory) as partial:
            partial.write(data)
            if like is not None:
                partial.copy_ownership(self.place(like))
            partial.sync()
            with directory_lock(self.directory):
                partial.publish(self.place(name))
        sync_directory(self.directory)

    def accepts_wrong_checksum(self, name: str, data: bytes) -> None:
        """Return None: nothing is sent, so there is no checksum to compare."""

    def put_locked(self, name: str, data: bytes, lock: ObjectLock, until: float) -> None:
        """Refuse: a directory has no locks.

        :raises StoreError: always.
        """
        del name, data, lock, until
        raise StoreError("a directory has no locks", hint="Use a bucket with object lock.")

    def purge(self, name: str) -> Sequence[Remnant]:
        """Remove a file, and return why it is still there, if it is."""
        try:
            self.remove(name)
        except FileError as error:
            return [Remnant(name, str(error))]
        return []

    def put_together(
        self, writer: LocalWriter, plan: Callable[[], tuple[str, Files]], *, prepare: Prepare | None = None
    ) -> str:
        """Put a file that was written, and small ones beside it, in place, each in one step; return its name.

        All are on the disk before the first of them is renamed. A crash between two leaves a whole file whose
        companions are another's, which is noticed and costs nothing. What was there is replaced.

        :param plan: returns the name, and the small files; it is called while the directory is locked.
        :param prepare: gets the path of each new file, and the one where it is to be, before the first is put there.
        :raises FileError: one of them can't be put there; what was there before is there still.
        """
        writer.sync()
        with contextlib.ExitStack() as stack:
            stack.enter_context(directory_lock(self.directory))
            name, small = plan()
            files = [(writer.file, self.place(name))]
            for beside, data in small:
                partial = stack.enter_context(AtomicFile(self.directory))
                partial.write(data)
                partial.sync()
                files.append((partial, self.place(beside)))
            for partial, path in files:
                require_no_directory(path)
                if prepare is not None:
                    prepare(partial.path, path)
            for partial, path in files:
                partial.publish(path)
        sync_directory(self.directory)
        return name


class LocalWriter:
    """One new file under way in a directory; see ``protocol.Writer``."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._name = ""
        self.file = AtomicFile(store.directory)

    def __enter__(self) -> LocalWriter:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.file.__exit__()

    def restart(self, name: str) -> None:
        """Drop what was written, and begin anew."""
        self._name = name
        self.file.truncate()

    def write(self, data: bytes) -> None:
        """Append bytes.

        :raises FileError: the disk is full, and the like.
        """
        self.file.write(data)

    def sync(self) -> None:
        """Wait until what was written is on the disk.

        :raises FileError: it can't be put there.
        """
        self.file.sync()

    def publish(self, sha256: str) -> str:
        """Put the file in place, and see that onto the disk; return its name.

        :raises StoreError: there is something of that name. :raises FileError: it can't be put there.
        """
        del sha256

        def plan() -> tuple[str, Files]:
            self._store.require_new(self._name)
            return self._name, ()

        return self._store.put_together(self, plan)


def _version(status: os.stat_result) -> str:
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def _missing(path: str) -> StoreError:
    return StoreError(f"there is no {printable(path)}", kind=FailureKind.STORE_MISSING, path=path)


def _unreadable(path: str, error: OSError) -> FileError:
    reason = error.strerror or os.strerror(error.errno or errno.EIO)
    return FileError(f"can't read {printable(path)}: {reason}", path=path)
