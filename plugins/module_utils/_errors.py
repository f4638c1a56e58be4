# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tree of errors. Each says what happened and, in its hint, what to do about it.

Nothing in here may carry a token, a key or a value: what an error holds is printed.
"""

from __future__ import annotations

import enum
import itertools
import os
import sys
import sysconfig
from collections.abc import Collection
from functools import partial
from typing import Any

BODY_LIMIT, MESSAGE_LIMIT = 300, 8000
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: object, limit: int | None = BODY_LIMIT) -> str:
    """Return text from outside as it may be shown on a terminal: on one line, no longer than ``limit`` characters.

    Control characters, line breaks, bidi and zero-width marks and lone surrogates are shown as in a Python string
    (``\\x1b``, ``\\u202e``); a text that is cut ends with ``…``. What is printable already comes back as it is.

    :param limit: None for text whose length is bounded elsewhere.
    """
    shown = str(text)
    if limit is not None and len(shown) > limit:
        shown = shown[: limit - 1] + "…"
    if not shown.isprintable():
        shown = "".join(map(_escaped, shown))
    if limit is not None and len(shown) > limit:
        shown = shown[: limit - 1] + "…"
    return shown


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def listed(names: Collection[object], limit: int = 5) -> str:
    """Return names for a sentence, each as ``printable`` shows it: ``a``, ``a and b``, ``a, b and 3 more``.

    The order is the collection's.

    :param limit: how many names are shown at most; 1 or more.
    """
    shown = [printable(name) for name in itertools.islice(names, limit)]
    more = len(names) - len(shown)
    last = f"{more} more" if more else shown.pop() if shown else ""
    return f"{', '.join(shown)} and {last}" if shown else last


def place_in_code(filename: str, line: int) -> str:
    """Return ``_snapshot/reader.py:12``: where in the collection, without the path of the machine."""
    parts = filename.replace("\\", "/").split("/")
    for folder in ("module_utils", "plugins"):
        if folder in parts[:-1]:
            return f"{'/'.join(parts[parts.index(folder) + 1 :])}:{line}"
    return f"{parts[-1]}:{line}"


class FailureKind(str, enum.Enum):
    """What playbooks may branch on: ``failure.kind`` in the result of a module that failed.

    docs/failures.md says of each what happened, what holds afterwards and what to do. Values never change; new ones
    may be added.
    """

    ACL_DISABLED = "acl_disabled"
    API = "api"
    ARCHIVE = "archive"
    BAD_ARCHIVE = "bad_archive"
    BINARY = "binary"
    CLUSTER = "cluster"
    CONNECTION = "connection"
    DATACENTER_DOWN = "datacenter_down"
    DEFECT = "defect"
    DEST = "dest"
    DIED = "died"
    ENDPOINT_BLOCKED = "endpoint_blocked"
    ERROR = "error"
    FILE = "file"
    GUARD = "guard"
    INTERRUPTED = "interrupted"
    LEADER_NOT_READY = "leader_not_ready"
    MISSING_LIBRARY = "missing_library"
    NO_LEADER = "no_leader"
    NO_QUORUM = "no_quorum"
    NOT_FOUND = "not_found"
    OPTION = "option"
    PERMISSION_DENIED = "permission_denied"
    PROXY_AUTH = "proxy_auth"
    RATE_LIMITED = "rate_limited"
    REDIRECTED = "redirected"
    REHEARSAL = "rehearsal"
    RESTORE = "restore"
    RETENTION = "retention"
    SEALED = "sealed"
    SERVER_ERROR = "server_error"
    SIGNATURE = "signature"
    STORE = "store"
    STORE_CREDENTIALS = "store_credentials"
    STORE_DENIED = "store_denied"
    STORE_EXISTS = "store_exists"
    STORE_LOCKED = "store_locked"
    STORE_MISSING = "store_missing"
    STORE_UNAVAILABLE = "store_unavailable"
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105
    TOO_EARLY = "too_early"
    TOO_LARGE = "too_large"
    TOO_STALE = "too_stale"
    UNAVAILABLE = "unavailable"
    UNKNOWN_DATACENTER = "unknown_datacenter"
    WRITE_RESTRICTED = "write_restricted"
    WRONG_SCHEME = "wrong_scheme"

    def __str__(self) -> str:
        # Python 3.12 would show the member's name in an f-string.
        return str(self.value)


class SnapshotError(Exception):
    """Root of every error this collection raises on purpose.

    ``kind`` is what a playbook may branch on; ``retryable`` says whether a second try may mend it; ``facts`` are plain
    values that end up in the ``failure`` result beside ``kind`` and ``hint``.
    """

    kind = FailureKind.ERROR
    retryable = False

    def __init__(self, message: str, *, hint: str = "", **facts: Any) -> None:
        # Names and answers from outside are in here, and Ansible prints a message as it is.
        self.message = printable(message, MESSAGE_LIMIT)
        self.hint = printable(hint, MESSAGE_LIMIT)
        super().__init__(self.message)
        self.facts = facts

    def as_failure(self) -> dict[str, Any]:
        """Return ``{kind, hint, **facts}`` for the ``failure`` key of a module's result."""
        facts = {name: str(fact) if isinstance(fact, FailureKind) else fact for name, fact in self.facts.items()}
        return {"kind": str(self.kind), "hint": self.hint, **facts}

    def as_text(self) -> str:
        """Return the message and, when there is one, the hint, as one readable line."""
        return printable(f"{self.message}. {self.hint}" if self.hint else self.message, None)


class OptionError(SnapshotError):
    """An option, or an environment variable that stands in for one, can't be used."""

    kind = FailureKind.OPTION


NOT_PACKAGED = frozenset({"azure-identity", "azure-storage-blob", "google-cloud-storage", "pyrage"})
"""Libraries that distributions don't have, or not by their own names."""
OTHER_NAMES = {
    "azure-storage-blob": "python3-azure-storage (apt) or python3-azure-storage-blob (dnf)",
    "azure-identity": "python3-azure (apt) or python3-azure-identity (dnf)",
}
"""In which packages some of them are all the same."""
OWN_PLACE = "/opt/consul-backup"
"""Where an environment may be made that the distribution does not manage."""


def pip_refuses() -> bool:
    """Whether this Python belongs to the distribution so that pip installs nothing into it (PEP 668)."""
    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    return sys.prefix == sys.base_prefix and os.path.exists(marker)


def how_to_install(library: str, *, managed: bool) -> str:
    """Return what to type where a library is missing.

    It names no path of the host, so that many hosts that lack the same one get one and the same advice.

    :param library: by the name that pip knows. :param managed: whether pip refuses, as ``pip_refuses`` says.
    """
    elsewhere = "or set ansible_python_interpreter to a Python that has it."
    if managed and library in NOT_PACKAGED and library not in OTHER_NAMES:
        return (
            "pip refuses to install into this Python (externally-managed-environment). Type there: "
            f"python3 -m venv --system-site-packages {OWN_PLACE} && {OWN_PLACE}/bin/pip install {library}. "
            f"Then set ansible_python_interpreter to {OWN_PLACE}/bin/python."
        )
    if managed:
        package = OTHER_NAMES.get(library, f"python3-{library}")
        return f"Install the package {package} there (pip refuses to install into this Python), {elsewhere}"
    packaged = "" if library in NOT_PACKAGED else f"python3-{library}, or "
    return f"Install it there ({packaged}pip install {library}), {elsewhere}"


class MissingLibraryError(SnapshotError):
    """A Python library that this module needs is not installed on the host it runs on."""

    kind = FailureKind.MISSING_LIBRARY

    def __init__(self, library: str, cause: str) -> None:
        python = sys.executable or "this host's Python"
        super().__init__(
            f"the Python library {library} is missing for {python} ({cause})",
            hint=how_to_install(library, managed=pip_refuses()),
            library=library,
        )


class FileError(SnapshotError):
    """A local file or directory can't be read or written."""

    kind = FailureKind.FILE


class ArchiveError(SnapshotError):
    """The bytes are not a whole archive. ``fault`` names the layer at which they stopped being one."""

    kind = FailureKind.ARCHIVE
    retryable = True

    def __init__(self, message: str, *, fault: str, hint: str = "", retryable: bool = True, **facts: Any) -> None:
        super().__init__(message, hint=hint, fault=fault, **facts)
        self.fault = fault
        self.retryable = retryable

    def __reduce__(self) -> tuple[Any, ...]:
        # So that it can pass from one process to another.
        keywords = {**self.facts, "hint": self.hint, "retryable": self.retryable}
        return partial(type(self), **keywords), (self.message,)


class TransportError(SnapshotError):
    """No usable answer: refused, reset, stalled, cut, or TLS did not agree.

    ``unsent``: there was no connection, so nothing can have been sent.
    """

    kind = FailureKind.CONNECTION
    retryable = True

    def __init__(self, message: str, *, hint: str = "", retryable: bool = True, unsent: bool = False, **facts: Any):
        super().__init__(message, hint=hint, **facts)
        self.retryable = retryable
        self.unsent = unsent


class ApiError(SnapshotError):
    """Consul answered with an error. ``status`` decides; ``body`` is its text, trimmed."""

    kind = FailureKind.API

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: str,
        url: str,
        kind: FailureKind | str = FailureKind.API,
        hint: str = "",
        retryable: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, status=status, body=printable(body), url=printable(url, None))
        self.kind = FailureKind(kind)
        self.status = status
        self.retryable = retryable


class ClusterError(SnapshotError):
    """The cluster answered, but is not in a state in which this can be done."""

    kind = FailureKind.CLUSTER
    retryable = True


class StaleError(SnapshotError):
    """A stale answer lags further behind the leader than was allowed."""

    kind = FailureKind.TOO_STALE
    retryable = True


class DestinationError(SnapshotError):
    """What lies at ``dest`` must not be replaced without being told so."""

    kind = FailureKind.DEST


class StoreError(SnapshotError):
    """A store refused, or could not be reached. ``operation`` is what was being done, such as ``PutObject``."""

    kind = FailureKind.STORE

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind = FailureKind.STORE,
        hint: str = "",
        retryable: bool = False,
        **facts: Any,
    ) -> None:
        super().__init__(message, hint=hint, **facts)
        self.kind = kind
        self.retryable = retryable

    def __reduce__(self) -> tuple[Any, ...]:
        # So that it can pass from one process to another.
        keywords = {**self.facts, "kind": self.kind, "hint": self.hint, "retryable": self.retryable}
        return partial(type(self), **keywords), (self.message,)


class SealedError(SnapshotError):
    """A sealed archive can't be opened, or an archive can't be sealed."""

    kind = FailureKind.SEALED


class SignatureError(SnapshotError):
    """A manifest can't be signed, or its signature can't be checked. One that is wrong is a guard's matter."""

    kind = FailureKind.SIGNATURE


class GuardError(SnapshotError):
    """At least one guard refused the restore; nothing was sent."""

    kind = FailureKind.GUARD


class BinaryError(SnapshotError):
    """A program that is needed isn't there, can't be run, or isn't what it should be."""

    kind = FailureKind.BINARY


class ServerDied(SnapshotError):
    """A throwaway server ended by itself. ``crash_log``: lines of its log that say why, with secrets masked."""

    kind = FailureKind.DIED

    def __init__(self, message: str, *, crash_log: list[str]) -> None:
        super().__init__(message, hint="crash_log says why.", crash_log=crash_log)
        self.crash_log = crash_log


class RetentionError(SnapshotError):
    """More archives would be removed than was allowed; nothing was removed."""

    kind = FailureKind.RETENTION


class RehearsalError(SnapshotError):
    """Not everything holds that was asked of a rehearsal."""

    kind = FailureKind.REHEARSAL


class RestoreError(SnapshotError):
    """A restore did not end well. ``state`` says what is known about the cluster's content afterwards.

    ``nothing_sent``: no byte of the archive left this host. ``rejected``: Consul refused it, and the cluster
    holds its old state. ``replaced``: the new state is in place. ``unknown``: the content has to be looked at.
    """

    kind = FailureKind.RESTORE

    def __init__(self, message: str, *, state: str, hint: str = "", **facts: Any) -> None:
        super().__init__(message, hint=hint, state=state, **facts)
        self.state = state
