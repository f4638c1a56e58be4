# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bytes of one archive come from: a file or an object, plain or sealed, and what lies beside it.

Nothing is asked of a store until it is needed, and the version that is seen first is the one that is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol, Union

from .._errors import OptionError, printable
from .._system.atomic_files import READ_SIZE, Stamp, file_errors, open_unchanged, stamp_of
from .._system.private_paths import is_ours_alone
from .backends.local import LocalStore
from .location import Location, parse_location
from .opening import open_store
from .protocol import Properties, Store
from .sealing.age import is_sealed, unsealed
from .settings import SealingSettings, StoreSettings

Seen = Union[Stamp, Properties]
"""What changes with an archive's bytes, known without reading them. Either has a ``size``, in bytes."""

NO_SEALING, NO_STORE = SealingSettings(), StoreSettings()


class _Place(Protocol):
    """Where an archive lies. Every method raises FileError for a file, and StoreError for an object."""

    @property
    def store(self) -> Store:
        """The store that it lies in."""

    def look(self) -> Seen:
        """Return what tells its bytes from others; of an object what was seen first."""

    def stored(self, seen: Seen) -> Iterator[bytes]:
        """Yield its bytes as they lie there, in pieces, as long as they are those that were seen."""

    def again(self) -> _Place:
        """Return the same place, with connections of its own."""

    def is_private(self, suffixes: tuple[str, ...]) -> bool:
        """Whether only this user and root can have written what lies there under its name and each of the suffixes."""


class ArchiveSource:
    """One archive. ``shown``: its place as the user gave it. ``name``: its name there. ``path``: None in a bucket."""

    def __init__(self, shown: str, location: Location, place: _Place, sealing: SealingSettings) -> None:
        self.shown, self.location = shown, location
        self.name = location.split()[1]
        self.path = location.path if location.is_local else None
        self.sealing = sealing
        self.look, self.stored = place.look, place.stored
        self._place = place

    @property
    def store(self) -> Store:
        """The store that it lies in, where its manifest lies as well.

        :raises MissingLibraryError: this host lacks the SDK.
        """
        return self._place.store

    def again(self) -> ArchiveSource:
        """Return the same archive, of the version that was seen, for another process: its connections are its own."""
        return ArchiveSource(self.shown, self.location, self._place.again(), self.sealing)

    @property
    def is_sealed(self) -> bool:
        """Whether it is encrypted, by its name."""
        return is_sealed(self.name)

    @property
    def is_plain_file(self) -> bool:
        """Whether it can be opened on this host as Consul wrote it."""
        return self.path is not None and not self.is_sealed

    def is_private(self, *suffixes: str) -> bool:
        """Whether only this user and root can have written it, and what lies beside it under these suffixes."""
        return self._place.is_private(("", *suffixes))

    def opened(self, stored: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the plain bytes of the archive, whose bytes as they lie there come from ``stored``.

        :raises SealedError: it can't be opened with the identity that was given.
        :raises ArchiveError: it is damaged or cut; its ``fault`` is ``sealed``.
        """
        return unsealed(stored, self.sealing.identity_file) if self.is_sealed else stored

    def plain(self) -> Iterator[bytes]:
        """Yield the plain bytes once more, whatever they are by now in a file.

        :raises SnapshotError: as ``stored`` and ``opened``.
        """
        return self.opened(self.stored(self.look()))


def source_of(
    text: str, option: str = "src", store: StoreSettings = NO_STORE, sealing: SealingSettings = NO_SEALING
) -> ArchiveSource:
    """Return the archive that an option names.

    :raises OptionError: it is a URL that names none.
    """
    location = parse_location(text, option)
    if location.is_local:
        return ArchiveSource(text, location, _File(location.path), sealing)
    if location.is_store:
        raise OptionError(
            f"{option}: {printable(text)} is a store, and an archive is needed",
            hint="Name an archive in it. snapshot_list with pick: newest finds the newest one.",
        )
    return ArchiveSource(text, location, _Object(location, store), sealing)


class _File:
    def __init__(self, path: str) -> None:
        self._path = path
        self.store: Store = LocalStore.at(os.path.dirname(path))

    def look(self) -> Stamp:
        return stamp_of(self._path)

    def stored(self, seen: Seen) -> Iterator[bytes]:
        if not isinstance(seen, Stamp):
            raise ValueError("a file is told from others by its stamp")
        with open_unchanged(self._path, seen) as file:
            while True:
                with file_errors("read", self._path):
                    piece = file.read(READ_SIZE)
                if not piece:
                    return
                yield piece

    def again(self) -> _File:
        return self

    def is_private(self, suffixes: tuple[str, ...]) -> bool:
        return all(is_ours_alone(self._path + suffix) for suffix in suffixes)


class _Object:
    def __init__(self, location: Location, settings: StoreSettings, seen: Properties | None = None) -> None:
        self._location, self._name = location.split()
        self._settings = settings
        self._opened: Store | None = None
        self._seen = seen

    @property
    def store(self) -> Store:
        if self._opened is None:
            self._opened = open_store(self._location, self._settings)
        return self._opened

    def look(self) -> Properties:
        if self._seen is None:
            self._seen = self.store.properties(self._name)
        return self._seen

    def stored(self, seen: Seen) -> Iterator[bytes]:
        if not isinstance(seen, Properties):
            raise ValueError("an object is told from others by its version")
        with self.store.read(self._name, version=seen.version) as pieces:
            yield from pieces

    def again(self) -> _Object:
        return _Object(self._location.child(self._name), self._settings, self._seen)

    def is_private(self, suffixes: tuple[str, ...]) -> bool:
        # Whoever else may write to a bucket can't be seen from here.
        return False
