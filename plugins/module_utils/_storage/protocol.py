# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store does, whatever it is made of. Each file in ``backends`` is one way to do it.

Promises, which the same tests hold for each on a real server:

* An object appears in one step, whole, when ``publish`` is called; a writer that ends before leaves nothing visible.
* Nothing is overwritten: ``publish`` and ``put_new`` fail where there is something.
* What is read is what was stored, from one version of the object.
* Memory doesn't grow with the size of an object.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from .location import Location
from .settings import ObjectLock

SHA256 = "sha256"
"""The name of the metadata that says what the bytes of an object have; it is compared when they are read."""


class Item(NamedTuple):
    """Something in a store: its name there, its size in bytes, and when it was last written (seconds since the epoch).

    ``fault``: why it is not to be read, where that is so, as a directory has links and pipes; always None in a bucket.
    """

    name: str
    size: int
    modified: float
    fault: str | None = None


class Properties(NamedTuple):
    """What a store says of one object.

    ``version`` changes with its bytes; ``sha256`` is None where none was noted. ``locked_until``: seconds since the
    epoch until which it can't be removed; None where it isn't locked. ``legal_hold``: a lock without an end.
    """

    size: int
    modified: float
    version: str
    sha256: str | None = None
    locked_until: float | None = None
    lock_mode: str | None = None
    legal_hold: bool = False


class Writer(Protocol):
    """One new object under way. Leaving its ``with`` block abandons it, unless it was published."""

    def __enter__(self) -> Writer: ...

    def __exit__(self, *exc: object) -> None: ...

    def restart(self, name: str) -> None:
        """Drop what was written, and begin anew under this name. It goes before the first ``write``."""

    def write(self, data: bytes) -> None:
        """Append bytes."""

    def sync(self) -> None:
        """Wait until what was written so far can be published without waiting, as far as there is such a thing."""

    def publish(self, sha256: str) -> str:
        """Make it visible, in one step; return its name.

        :param sha256: the SHA-256 of all bytes that were written, in hex.
        :raises StoreError: ``store_exists``: there is something of that name.
        """


class Remnant(NamedTuple):
    """A version of an object that is still there after ``purge``, and why; ``locked_until`` as in Properties."""

    name: str
    reason: str
    locked_until: float | None = None


class Probes(Protocol):
    """What ``store_check`` asks of a store beyond its work. Only objects of its own, a few bytes each, are touched.

    Where a method returns None there is no such thing in this kind of store (as in a directory), or the store has no
    request that would show it. What isn't permitted is StoreError ``store_denied``, as everywhere.
    """

    def versioning(self) -> bool | None:
        """Return whether what is overwritten or removed is kept, as an older version (Azure: or by soft delete)."""

    def lock_default(self) -> ObjectLock | None:
        """Return the retention that the store itself gives to each new object; None where it gives none."""

    def overwrite(self, name: str, data: bytes) -> None:
        """Store an object the plain way, without any condition: what is there is overwritten.

        :raises StoreError: ``store_denied``: these credentials may not. ``store_locked``: the store forbids it.
        """

    def accepts_wrong_checksum(self, name: str, data: bytes) -> bool | None:
        """Send a new object with a checksum that its bytes don't have, by the same requests that a writer uses.

        True: it was stored nevertheless, and is there now. False: it was refused, and nothing is there.
        """

    def put_locked(self, name: str, data: bytes, lock: ObjectLock, until: float) -> None:
        """Store a new object, locked in the mode of ``lock`` until a time (seconds since the epoch), not for its days.

        :raises StoreError: the store has no locks, or none in this bucket.
        """

    def purge(self, name: str) -> Sequence[Remnant]:
        """Remove an object with all its versions and delete markers, as far as that is allowed; return what is left.

        It raises nothing that speaks of one version only: what is locked or denied is a Remnant.
        """


class Store(Probes, Protocol):
    """A directory of archives, or a prefix of a bucket. Names are those within it: they hold no slash.

    Every method raises StoreError, or FileError for a local store.
    """

    location: Location

    @property
    def is_private(self) -> bool:
        """Whether only this user can write here. Only then is an unsigned manifest worth more than a hint."""

    @property
    def may_lock(self) -> bool:
        """Whether an object here may be locked or held by the store; True where nobody can say."""

    def place(self, name: str) -> str:
        """Return the path or URL of a name, as results and messages show it."""

    def list(self, prefix: str = "") -> Iterator[Item]:
        """Yield what is in the store, names with this prefix only, in no order; nothing below further slashes."""

    def properties(self, name: str) -> Properties:
        """Return what the store says of an object.

        :raises StoreError: ``store_missing``: there is none.
        """

    def read(self, name: str, *, start: int = 0, version: str | None = None) -> AbstractContextManager[Iterator[bytes]]:
        """Give an object's bytes, from one on, in pieces; a read that breaks off goes on where it was.

        :param version: the one that was seen before; another one is refused.
        """

    def read_small(self, name: str, limit: int) -> bytes:
        """Return up to the first ``limit`` bytes of an object."""

    def writer(self) -> Writer:
        """Return a writer for one new object."""

    def put_new(self, name: str, data: bytes) -> None:
        """Store a small object, whole, in one step.

        :raises StoreError: ``store_exists``: there is something of that name.
        """

    def remove(self, name: str) -> None:
        """Remove an object for good, not only from sight; it is no failure that there is none.

        Where the store keeps versions, the one that is visible is removed by its version.

        :raises StoreError: ``store_locked``: it is locked or held.
        """

    def clean(self) -> Sequence[str]:
        """Remove what killed writers left behind, where nobody sees it, and return what that was."""

    def extend_lock(self, name: str) -> float | None:
        """Lock an object for as long as the store's settings say, from now; return until when. None: no lock is set."""

    def hold(self, name: str, *, on: bool) -> None:
        """Set or take back a legal hold.

        :raises StoreError: the store has none.
        """
