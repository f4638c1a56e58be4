# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new archive on its way into a store: written, sealed where that is asked for, and published with its manifest.

In a directory, archive, signature and manifest are put in place together, under one lock. A bucket has no such thing:
there the archive comes first and the manifest last, so that a manifest that can be seen is one of a whole archive.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from .._errors import FileError, SnapshotError, printable
from .._model.identity import ClusterIdentity
from .._system.atomic_files import Digest
from .archive_names import SEALED_ENDING, archive_name
from .backends.local import Files, LocalStore, LocalWriter, Prepare
from .confirmation import by_archive, confirmation_prefix
from .manifest import Manifest, encode_manifest
from .manifest_file import manifest_path, signature_path
from .protocol import Store, Writer
from .store import Entry

Sign = Callable[[bytes], bytes]
"""Returns the signature over the bytes of a manifest."""


class Sealing(Writer, Protocol):
    """A writer that encrypts what is written, and passes it on to another one, which it enters and leaves as well."""

    def finish(self) -> Digest:
        """Pass on what is left, and return what the encrypted bytes have: nothing more is written."""


Seal = Callable[[Writer], Sealing]
"""Returns a writer that encrypts for the recipients, around the store's own."""


class NewArchive:
    """One archive under way. Leaving its ``with`` block abandons it, unless it was published.

    :param seal: encrypts it; None: it is kept as it is. :param sign: signs its manifest; None: it is not signed.
    :param file: in a directory, the name that it gets, in place of what is there; None: a new name of its own.
    :param prepare: in a directory, gets the path of each new file, and the one where it is to be, before it is there.
    """

    def __init__(
        self,
        store: Store,
        *,
        seal: Seal | None = None,
        sign: Sign | None = None,
        file: str | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self._store = store
        self._sign = sign
        self._file = file
        self._prepare = prepare
        self._inner: Writer = store.writer()
        try:
            self._sealing = None if seal is None else seal(self._inner)
        except BaseException:
            self._inner.__exit__()
            raise
        self._name = ""

    def __enter__(self) -> NewArchive:
        self._writer.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._writer.__exit__(*exc)

    @property
    def _writer(self) -> Writer:
        return self._inner if self._sealing is None else self._sealing

    def restart(self, name: str) -> None:
        """Drop what was written, and begin anew.

        :param name: that of the plain archive in a bucket; in a directory it gets its name when it is published.
        """
        self._name = name + self._ending
        self._writer.restart(self._name)

    @property
    def _ending(self) -> str:
        return "" if self._sealing is None else SEALED_ENDING

    def write(self, data: bytes) -> None:
        """Append bytes of the plain archive."""
        self._writer.write(data)

    def sync(self) -> None:
        """Wait until what was written so far can be published without further waiting."""
        self._writer.sync()

    def publish(self, manifest: Manifest) -> Entry:
        """Publish the archive with its manifest.

        :param manifest: of the plain archive, all of which was written; its ``file`` is filled in.
        :raises FileError: it can't be put there; what was there before is there still. :raises StoreError: the same of
            a bucket; ``store_exists``: another archive got that name first. :raises SignatureError: it can't be signed.
        """
        if self._sealing is not None:
            manifest = replace(manifest, sealed=self._sealing.finish())
        if isinstance(self._store, LocalStore) and isinstance(self._inner, LocalWriter):
            return self._put_together(self._store, self._inner, manifest)
        return self._put_one_by_one(manifest)

    def _files(self, manifest: Manifest, name: str) -> tuple[Manifest, Files]:
        """Return what lies beside the archive, the manifest last, for an archive of this name."""
        manifest = replace(manifest, file=name)
        text = encode_manifest(manifest)
        signature = [(signature_path(name), self._sign(text))] if self._sign is not None else []
        return manifest, [*signature, (manifest_path(name), text)]

    def _put_together(self, store: LocalStore, writer: LocalWriter, manifest: Manifest) -> Entry:
        published = manifest

        def plan() -> tuple[str, Files]:
            nonlocal published
            name = self._file or self._free_name(store.directory, manifest)
            published, files = self._files(manifest, name)
            return name, files

        name = store.put_together(writer, plan, prepare=self._prepare)
        if self._file is not None:
            self._remove_what_was_of_another(store, name)
        return Entry(store.place(name), published, self._sign is not None)

    def _free_name(self, directory: str, manifest: Manifest) -> str:
        path = archive_path(directory, manifest.cluster, manifest.taken_at, manifest.index, ending=self._ending)
        return os.path.basename(path)

    def _remove_what_was_of_another(self, store: LocalStore, name: str) -> None:
        # They name other bytes, so they count for nothing; a signature that doesn't fit would look like an attack.
        beside = by_archive(item.name for item in store.list(confirmation_prefix(name))).get(name, [])
        for one in [*beside, *([] if self._sign is not None else [signature_path(name)])]:
            with contextlib.suppress(FileError):
                store.remove(one)

    def _put_one_by_one(self, manifest: Manifest) -> Entry:
        manifest, files = self._files(manifest, self._name)
        put = [self._inner.publish(manifest.stored.sha256)]
        try:
            for name, data in files:
                self._store.put_new(name, data)
                put.append(name)
        except SnapshotError:
            # Without its manifest it would be of little use. Where removal isn't permitted it stays, whole.
            for name in reversed(put):
                with contextlib.suppress(SnapshotError):
                    self._store.remove(name)
            raise
        return Entry(self._store.place(self._name), manifest, self._sign is not None)


def archive_path(directory: str, cluster: ClusterIdentity, taken_at: float, index: int, *, ending: str = "") -> str:
    """Return where a new archive belongs in a directory. There is no file of that name there.

    :param ending: what follows the name of a plain archive.
    :raises FileError: the name would lead out of the directory.
    """
    for number in itertools.count(1):
        name = archive_name(cluster, taken_at, index, number) + ending
        path = os.path.join(directory, name)
        if os.path.dirname(os.path.abspath(path)) != os.path.abspath(directory):
            raise FileError(f"{printable(name)} is not a name for a file in {printable(directory)}", path=directory)
        if not os.path.lexists(path) and not os.path.lexists(manifest_path(path)):
            return path
    raise AssertionError("numbers do not end")
