# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives encrypted and opened as they stream by, in the format of age (https://age-encryption.org/v1)."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterable, Iterator

from ..._errors import OptionError, SealedError
from ..._system.atomic_files import Digest, file_errors
from ..protocol import Writer
from ..settings import SealingSettings
from . import failures, tools
from .identities import identity_in
from .programs import FilterFailed
from .recipients import kind_of, recipient_from, recipients_in, remarks_on, unique
from .tools import Filter, Tool

SUFFIX = ".age"
_FILE_LIMIT = 1 << 20
"""Bytes of a file of recipients or identities at most. A post-quantum recipient has 2,000."""
_HEAD_SIZE = len(failures.ARMOR_INTRO)


def is_sealed(name: str) -> bool:
    """Whether a file of this name, path or URL is a sealed archive."""
    return name.endswith(SUFFIX)


def sealed_name(name: str) -> str:
    """Return the name of an archive once it is sealed."""
    return name if is_sealed(name) else name + SUFFIX


def recipients_of(settings: SealingSettings) -> tuple[str, ...]:
    """Return to whom archives are encrypted: each recipient once; none where archives aren't encrypted.

    :raises OptionError: one is not a recipient, or the file names none. :raises FileError: the file can't be read.
    """
    found = [recipient_from(text, f"encrypt_to, item {number}") for number, text in enumerate(settings.recipients, 1)]
    if settings.recipients_file is not None:
        found += recipients_in(_content_of(settings.recipients_file, "encrypt_to_file"), settings.recipients_file)
    return unique(found)


def check_recipients(settings: SealingSettings) -> list[str]:
    """Make sure that archives can be encrypted, by encrypting nothing; return in words what is risky about it.

    :raises OptionError: a recipient can't be used. :raises SealedError: there is no tool, or it does not work here.
    :raises FileError: the file of recipients can't be read.
    """
    recipients = recipients_of(settings)
    if not recipients:
        return []
    tool = _tool_for_recipients(recipients)
    try:
        _encrypt_nothing(tool, recipients)
    except FilterFailed as failure:
        bad = [] if failure.is_dead else [one for one in recipients if not _is_taken(tool, one)]
        if len(bad) == len(recipients) > 1 or failure.is_dead or tools.is_fips_host():
            # No recipient is at fault when none of them is taken.
            raise failures.sealing_failed(failure, tool.name, fips=tools.is_fips_host()) from None
        raise _bad_recipients(failure, tool, settings, bad) from None
    return remarks_on(recipients)


def sealed_with(settings: SealingSettings) -> str | None:
    """Return the name of the tool that encrypts: pyrage, age or rage. None where archives aren't encrypted.

    :raises SnapshotError: as ``check_recipients``.
    """
    recipients = recipients_of(settings)
    return _tool_for_recipients(recipients).name if recipients else None


class SealingWriter:
    """Encrypts what is written, and passes it on to another writer, whose names and place it leaves as they are.

    Whoever writes gives names that end in ``.age``. ``finish`` goes before the last ``sync``; ``publish`` calls it
    where that was left out. Memory doesn't grow with the archive. The tool is started by the first byte.
    """

    def __init__(self, inner: Writer, settings: SealingSettings) -> None:
        """Prepare to encrypt.

        :raises SnapshotError: as ``check_recipients``, which goes before a capture.
        """
        self._inner = inner
        self._recipients = recipients_of(settings)
        if not self._recipients:
            raise ValueError("an archive without a recipient could never be opened")
        self.tool = _tool_for_recipients(self._recipients)
        self._filter: Filter | None = None
        self._hash, self._size = hashlib.sha256(), 0
        self._is_finished = False

    def __enter__(self) -> SealingWriter:
        self._inner.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self._stop()
        finally:
            self._inner.__exit__(*exc)

    @property
    def digest(self) -> Digest:
        """Size and SHA-256 of the sealed bytes; those of all of them once ``finish`` was called."""
        return Digest(self._size, self._hash.hexdigest())

    def restart(self, name: str) -> None:
        """Drop what was written, and begin anew under this name."""
        self._stop()
        self._hash, self._size, self._is_finished = hashlib.sha256(), 0, False
        self._inner.restart(name)

    def write(self, data: bytes) -> None:
        """Encrypt bytes.

        :raises SealedError: the tool gave up.
        """
        with self._failures():
            pieces = self._started().feed(data)
        self._pass_on(pieces)

    def sync(self) -> None:
        """Wait for what was passed on so far."""
        self._inner.sync()

    def finish(self) -> Digest:
        """Encrypt what is left, and return what the sealed archive has.

        :raises SealedError: the tool gave up.
        """
        if not self._is_finished:
            with self._failures():
                pieces = self._started().finish()
            self._pass_on(pieces)
            self._stop()
            self._is_finished = True
        return self.digest

    def publish(self, sha256: str) -> str:
        """Make it visible, and return its name.

        :param sha256: that of the plain archive; the other writer gets that of the sealed one.
        """
        return self._inner.publish(self.finish().sha256)

    def _started(self) -> Filter:
        if self._is_finished:
            raise ValueError("nothing can be written once it is finished")
        if self._filter is None:
            # Only now: a process that was forked in the meantime would have got a share in it.
            self._filter = tools.encryption(self.tool, self._recipients)()
        return self._filter

    def _pass_on(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self._hash.update(piece)
            self._size += len(piece)
            self._inner.write(piece)

    def _stop(self) -> None:
        if self._filter is not None:
            self._filter.close()
            self._filter = None

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except FilterFailed as failure:
            raise failures.sealing_failed(failure, self.tool.name, fips=tools.is_fips_host()) from None


def unsealed(pieces: Iterable[bytes], identity_file: str | None) -> Iterator[bytes]:
    """Yield the plain bytes of a sealed archive. They are whole only once this has ended without an error.

    Nothing is started before the first piece is asked for; whoever stops half-way closes the generator.

    :raises SealedError: the key does not open it, is protected by a passphrase, or no tool is there.
    :raises ArchiveError: ``fault`` is FAULT: it is not age's, is damaged or cut. :raises FileError: no such key.
    """
    path, content, tool = _identity_of(identity_file)
    incoming = iter(pieces)
    head = b""
    for piece in incoming:
        head += piece
        if len(head) >= _HEAD_SIZE:
            break
    fault = failures.fault_at_the_start(head)
    if fault is not None:
        raise fault
    with _identity_failures(tool, path):
        start = tools.decryption(tool, path, content)
    with contextlib.ExitStack() as stack:
        with _opening_failures(tool, path):
            opening = stack.enter_context(start())
        for piece in itertools.chain([head], incoming):
            with _opening_failures(tool, path):
                written = opening.feed(piece)
            yield from written
        with _opening_failures(tool, path):
            written = opening.finish()
        yield from written


@contextlib.contextmanager
def _opening_failures(tool: Tool, path: str) -> Iterator[None]:
    try:
        yield
    except FilterFailed as failure:
        raise failures.opening_failed(failure, tool.name, path, fips=tools.is_fips_host()) from None


@contextlib.contextmanager
def _identity_failures(tool: Tool, path: str) -> Iterator[None]:
    try:
        yield
    except FilterFailed as failure:
        raise failures.identity_refused(failure, tool.name, path) from None


def _identity_of(identity_file: str | None) -> tuple[str, bytes, Tool]:
    if identity_file is None:
        raise SealedError(
            "the archive is sealed, and identity_file is not set",
            hint="Set identity_file to the file with the secret key that opens it.",
        )
    content = _content_of(identity_file, "identity_file")
    identity = identity_in(content)
    if identity.is_locked:
        raise SealedError(
            f"the key in {identity_file} is protected by a passphrase, which nobody can be asked for here",
            hint="Write a copy without a passphrase, readable by this user only: age -d for a key of age, "
            "ssh-keygen -p for one of ssh.",
        )
    if identity.fault:
        raise SealedError(
            f"identity_file: {identity_file} {identity.fault}",
            hint="Set it to a file with a secret key of age (AGE-SECRET-KEY-…), or to an ssh private key.",
        )
    return identity_file, content, tools.tool_for(identity.kinds)


def _content_of(path: str, option: str) -> bytes:
    with file_errors(f"read {option}", path), open(path, "rb") as file:
        content = file.read(_FILE_LIMIT + 1)
    if len(content) > _FILE_LIMIT:
        raise OptionError(f"{option}: {path} has more than {_FILE_LIMIT} bytes", hint="Name a file of keys.")
    return content


def _tool_for_recipients(recipients: Iterable[str]) -> Tool:
    return tools.tool_for(frozenset(map(kind_of, recipients)))


def _encrypt_nothing(tool: Tool, recipients: tuple[str, ...]) -> None:
    with tools.encryption(tool, recipients)() as sealing:
        sealing.finish()


def _is_taken(tool: Tool, recipient: str) -> bool:
    try:
        _encrypt_nothing(tool, (recipient,))
    except FilterFailed:
        return False
    return True


def _bad_recipients(failure: FilterFailed, tool: Tool, settings: SealingSettings, bad: list[str]) -> OptionError:
    named = [number for number, text in enumerate(settings.recipients, 1) if text.strip() in bad]
    where = f"encrypt_to, item {named[0]}" if named else settings.recipients_file or "encrypt_to"
    return OptionError(
        f"{where}: {tool.name} does not take {'this recipient' if bad else 'these recipients together'}"
        f" ({failures.words_of(failure) or 'it gives no reason'})",
        hint="Check that the key was copied whole. Post-quantum keys require age 1.3, and can't be mixed with others.",
    )
