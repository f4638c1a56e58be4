# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of a copy: both stores are listed, and what one lacks is passed on to it, the oldest archive first."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import Any, NamedTuple

from ..._errors import (
    ArchiveError,
    FailureKind,
    SealedError,
    SignatureError,
    SnapshotError,
    printable,
)
from ..._storage.archive_source import ArchiveSource, source_of
from ..._storage.location import Location, parse_location
from ..._storage.manifest import Manifest, encode_manifest
from ..._storage.manifest_file import (
    MATCHES,
    STALE,
    ManifestMatch,
    manifest_path,
    manifest_text,
    signature_beside,
    signature_path,
)
from ..._storage.opening import open_store
from ..._storage.protocol import Store, Writer
from ..._storage.sealing.age import SealingWriter
from ..._storage.store import Entry, confirm, entries_of, extend_locks, is_intact
from ..._storage.trust import NO_SIGNATURE, VALID, Beside, fault_of, look_beside
from ..._system.atomic_files import Digest, make_directory, require_directory
from ..journal import Journal
from ..save.destination import clean
from ..sealing import Sealed, prepare_sealing
from .candidates import Candidate, CopyRequest, candidates_of
from .facts import Facts, facts_of
from .passing import Passed, pass_on
from .plan import Wanted, free_name, holding, require_store, wanted

RECORDS, CHECKSUM = "records", "checksum"
"""How a copy was verified: to its last record, or, of a sealed archive, by the checksum in its manifest."""

_ONE_ARCHIVE = (FailureKind.ARCHIVE, FailureKind.OPTION, FailureKind.SEALED, FailureKind.SIGNATURE)
"""What is wrong with one archive alone: the others are copied nevertheless."""


class Copies:
    """What was done so far: rows of the result."""

    def __init__(self) -> None:
        self.copied: list[dict[str, Any]] = []
        self.present: list[dict[str, Any]] = []
        self.not_copied: list[dict[str, Any]] = []

    def as_result(self) -> dict[str, Any]:
        """Return what the module's result shows."""
        rows = {"copied": self.copied, "present": self.present, "not_copied": self.not_copied}
        return {**rows, "changed": bool(self.copied)}


def copy_archives(request: CopyRequest, journal: Journal, copies: Copies, *, check: bool) -> None:
    """Copy archives.

    :param journal: gets the phases ``read``, ``look`` and ``copy``.
    :param copies: is filled along the way.
    :param check: read no archive, and write nothing.
    :raises SnapshotError: of any kind. What was copied before is whole; what is wrong with one archive is raised once
        the others were copied.
    """
    src, dest = parse_location(request.src, "src"), parse_location(request.dest, "dest")
    require_store(dest)
    candidates = candidates_of(request, src, journal)
    with journal.phase("look"):
        sealed = prepare_sealing(request.sealing)
        target = _target(request, dest, journal, check=check)
    for remark in sealed.remarks:
        journal.warn(remark)
    copying = _Copying(request, sealed, target, journal, copies, check)
    errors = []
    with journal.phase("copy"):
        for candidate in candidates:
            try:
                copying.one(candidate)
            except SnapshotError as error:
                copies.not_copied.append({"src": candidate.path, "reason": error.message})
                if error.kind not in _ONE_ARCHIVE:
                    raise
                errors.append(error)
    if errors:
        raise errors[0]


class _Target(NamedTuple):
    """Where the copies get. ``entries``: the archives that are there. ``taken``: all names that are in use."""

    store: Store
    entries: list[Entry]
    taken: set[str]


def _target(request: CopyRequest, dest: Location, journal: Journal, *, check: bool) -> _Target:
    store = open_store(dest, request.dest_store)
    if dest.is_local:
        if not os.path.lexists(dest.path) and request.create_directory:
            if check:
                return _Target(store, [], set())
            make_directory(dest.path)
        require_directory(dest.path)
    if not check:
        for remark in clean(store):
            journal.warn(remark)
    return _Target(store, entries_of(store), {item.name for item in store.list()})


class _Beside(NamedTuple):
    """What is put beside a copy."""

    manifest: Manifest
    text: bytes
    signature: bytes | None


class _Copying(NamedTuple):
    request: CopyRequest
    sealed: Sealed
    target: _Target
    journal: Journal
    copies: Copies
    check: bool

    def one(self, candidate: Candidate) -> None:
        """Copy one archive, unless it is there.

        :raises SnapshotError: of any kind; nothing is visible of its copy then.
        """
        known = candidate.manifest
        copy = wanted(
            candidate.name,
            known.sha256 if known else None,
            candidate.cluster,
            seals=self.sealed.seal is not None,
            called=None if known else self.request.cluster,
        )
        there = self._there(copy, copy.sha256)
        if there is not None:
            self._note_present(candidate, there)
        elif self.check:
            place = self.target.store.place(free_name(copy.name, self.target.taken))
            signed = None if self.sealed.sign is None else True
            self._note_copied(candidate, place, None, copy.sha256, copy.sealed, signed, None)
        else:
            self._copy(candidate, copy)

    def _there(self, copy: Wanted, sha256: str | None) -> Entry | None:
        store = self.target.store
        return next((one for one in holding(self.target.entries, copy, sha256) if is_intact(store, one)), None)

    def _copy(self, candidate: Candidate, copy: Wanted) -> None:
        source = source_of(candidate.path, "src", self.request.store, self.request.sealing)
        beside = look_beside(source)
        opens = not source.is_sealed or self.sealed.seal is not None or source.sealing.identity_file is not None
        self._require_acceptable(source, beside, opens=opens)
        store, name = self.target.store, free_name(copy.name, self.target.taken)
        with self._writer() as writer:
            writer.restart(name)
            passed = pass_on(source, writer, opens=opens, reseals=self.sealed.seal is not None)
            match = _match(beside, passed)
            _require_signed(source, beside, match)
            if passed.plain is not None and passed.plain.sha256 != copy.sha256:
                there = self._there(copy, passed.plain.sha256)
                if there is not None:
                    self._note_present(candidate, there)
                    return
            facts = self._facts(source, match, passed, copy)
            stored = writer.finish() if isinstance(writer, SealingWriter) else passed.stored
            beside_copy = self._beside(source, beside, facts, name, stored if copy.sealed else None)
            self._publish(writer, name, stored, beside_copy)
        entry = Entry(store.place(name), beside_copy.manifest, beside_copy.signature is not None)
        self.target.entries.append(entry)
        self.target.taken.update({name, manifest_path(name), signature_path(name)})
        verified = RECORDS if opens else CHECKSUM
        manifest = beside_copy.manifest
        self._note_copied(
            candidate,
            entry.path,
            stored.size,
            manifest.sha256,
            copy.sealed,
            beside_copy.signature is not None,
            verified,
        )
        self._keep(entry, candidate if match.status == MATCHES else None)

    def _writer(self) -> Writer:
        inner = self.target.store.writer()
        return inner if self.sealed.seal is None else self.sealed.seal(inner)

    def _require_acceptable(self, source: ArchiveSource, beside: Beside, *, opens: bool) -> None:
        """Make sure, before anything is read, that the archive may be copied.

        :raises SignatureError: it has to be signed, and isn't. :raises SealedError: it has to be opened for that.
        """
        if source.sealing.allowed_signers is not None and beside.signature.status != VALID:
            status = MATCHES if beside.manifest else STALE
            reason = fault_of(beside.match(_NOTHING, _NOTHING)._replace(status=status), beside.signature)
            raise _not_signed(source, reason)
        if opens:
            return
        if beside.manifest is None:
            raise SealedError(
                f"{source.shown} is sealed and has no manifest, so it can't be verified without being opened",
                hint="Set identity_file to the key that opens it.",
                path=source.shown,
            )
        if not beside.is_trusted and (self.sealed.sign is not None or self.target.store.location.is_local):
            raise SealedError(
                f"{source.shown} is sealed, and nobody vouches for its manifest, which would count at its new place",
                hint="Set identity_file to the key that opens it, so that its records are read, or allowed_signers.",
                path=source.shown,
            )

    def _facts(self, source: ArchiveSource, match: ManifestMatch, passed: Passed, copy: Wanted) -> Facts:
        if passed.archive is None or passed.plain is None:
            if match.manifest is None:
                raise ArchiveError(
                    f"{source.shown} does not have the checksum that its manifest names",
                    fault="sealed",
                    hint="Don't use it. An older archive, or a copy of it in another store, may be whole.",
                    path=source.shown,
                )
            return Facts(match.manifest, True)
        facts = facts_of(match, passed.archive, passed.plain, cluster=copy.cluster, file=source.name)
        if facts.remark is not None:
            self.journal.warn(f"{printable(source.shown)}: {facts.remark}")
        return facts

    def _beside(self, source: ArchiveSource, beside: Beside, facts: Facts, name: str, sealed: Digest | None) -> _Beside:
        was_signed = beside.signature.status != NO_SIGNATURE
        manifest = replace(facts.manifest, file=name, sealed=sealed)
        anew = self.sealed.seal is not None or self.sealed.sign is not None
        if facts.is_verbatim and not anew and (was_signed or name == source.name):
            told = manifest_text(source.store, source.name)
            signature = signature_beside(source.store, source.name) if was_signed else None
            if told is None or told.manifest != beside.manifest:
                raise ArchiveError(f"the manifest of {source.shown} was changed meanwhile", fault="manifest")
            text = told.text
            return _Beside(replace(manifest, file=facts.manifest.file), text, signature)
        if manifest.fingerprint is None:
            raise SealedError(
                f"the manifest of {source.shown} is of another version, and can't be written again",
                hint="Set identity_file to the key that opens the archive, so that its records are read.",
                path=source.shown,
            )
        text = encode_manifest(manifest)
        if was_signed and self.sealed.sign is None:
            self.journal.warn(
                f"{printable(source.shown)} is signed and its copy is not, because the copy has another manifest. "
                "Set signing_key to sign it."
            )
        return _Beside(manifest, text, None if self.sealed.sign is None else self.sealed.sign(text))

    def _publish(self, writer: Writer, name: str, stored: Digest, beside: _Beside) -> None:
        store = self.target.store
        put = [writer.publish(stored.sha256)]
        signature = [] if beside.signature is None else [(signature_path(name), beside.signature)]
        try:
            for other, data in (*signature, (manifest_path(name), beside.text)):
                store.put_new(other, data)
                put.append(other)
        except SnapshotError:
            # Without its manifest it would be of little use. Where removal isn't permitted it stays, whole.
            for other in reversed(put):
                with contextlib.suppress(SnapshotError):
                    store.remove(other)
            raise

    def _note_present(self, candidate: Candidate, there: Entry) -> None:
        self.copies.present.append({"src": candidate.path, "dest": there.path})
        if not self.check:
            self._keep(there, candidate, renew=False)

    def _keep(self, entry: Entry, candidate: Candidate | None, *, renew: bool = True) -> None:
        """Note beside a copy what was confirmed of the archive since, and lock it as the store's settings say.

        :param renew: also without a newer confirmation.
        """
        known = candidate.manifest if candidate else None
        newer = known is not None and known.confirmed_by_leader and known.confirmed_at > entry.manifest.confirmed_at
        if known is not None and newer:
            manifest = replace(
                entry.manifest, confirmed_at=known.confirmed_at, confirmed_by_leader=True, cluster=known.cluster
            )
            confirm(self.target.store, entry._replace(manifest=manifest))
        if self.request.dest_store.object_lock is not None and (renew or newer):
            extend_locks(self.target.store, entry)

    def _note_copied(
        self,
        candidate: Candidate,
        dest: str,
        size: int | None,
        sha256: str | None,
        sealed: bool,
        signed: bool | None,
        verified: str | None,
    ) -> None:
        row = {"src": candidate.path, "dest": dest, "size": size, "sha256": sha256}
        self.copies.copied.append({**row, "sealed": sealed, "signed": signed, "verified": verified})


_NOTHING = Digest(0, "")


def _match(beside: Beside, passed: Passed) -> ManifestMatch:
    if passed.plain is not None:
        return beside.match(passed.stored, passed.plain)
    manifest = beside.manifest
    if manifest is not None and manifest.stored == passed.stored:
        return ManifestMatch(MATCHES, manifest)
    return ManifestMatch(STALE, None)


def _require_signed(source: ArchiveSource, beside: Beside, match: ManifestMatch) -> None:
    reason = fault_of(match, beside.signature) if source.sealing.allowed_signers is not None else None
    if reason is not None:
        raise _not_signed(source, reason)


def _not_signed(source: ArchiveSource, reason: str | None) -> SignatureError:
    return SignatureError(
        f"{source.shown} is not copied: {reason}",
        hint="Find out who wrote it. Copy it without allowed_signers only if you know where it comes from.",
        path=source.shown,
    )
