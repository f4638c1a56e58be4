# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``meta.json`` and ``SHA256SUMS``, read exactly as strictly as Consul reads them (pure).

Consul decodes ``meta.json`` with Go's ``encoding/json`` into raft's ``SnapshotMeta``: a number is written without
fraction, exponent or quotes, keys match in any case, unknown keys are left aside. What Consul accepts and never writes
(a key that is given twice, is null or missing, peers as a list of numbers) is refused here, since nobody can tell what
was meant. An index close to 2**64 is accepted by Consul, whose server then can't read its own log (seen on 1.22.7 with
2**64-3, not with 2**63); nothing honest comes near it, so the upper half is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._errors import ArchiveError

_KEYS = ("Version", "ID", "Index", "Term", "Peers", "Configuration", "ConfigurationIndex", "Size")
_SERVER_KEYS = ("Suffrage", "ID", "Address")
_VERSION = 1
"""The only one that raft's snapshot store can write, and so restore."""
_SIGNED, _UNSIGNED = range(-(1 << 63), 1 << 63), range(1 << 64)
_INDEX_LIMIT = 1 << 63
_META_ID = re.compile(r"[0-9]+-[0-9]+-([0-9]{1,14})")
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SUFFRAGES = {0: "Voter", 1: "Nonvoter", 2: "Staging"}
_SUM_LINE = re.compile(rb"[ \t]*([0-9a-fA-F]{64})[ \t]+([^\s]+)[ \t\r]*")
_LONGEST_LINE = 1 << 16
# Go takes these two for the letters that they look like.
_FOLDED = str.maketrans({"\u017f": "s", "\u212a": "k"})
_SURROGATE = re.compile("[\ud800-\udfff]")


class Server(NamedTuple):
    """A server of raft's configuration at the time of the snapshot; ``suffrage`` is Voter, Nonvoter or Staging."""

    id: str
    address: str
    suffrage: str


@dataclass(frozen=True)
class Meta:
    """What ``meta.json`` says. ``taken_at``: seconds since the epoch by the server's clock, if the ID tells."""

    id: str
    index: int
    term: int
    version: int
    size: int
    taken_at: float | None
    servers: tuple[Server, ...]


def parse_meta(text: bytes) -> Meta:
    """Return what ``meta.json`` says.

    :raises ArchiveError: Consul would refuse it, never writes it, or would come to harm by it; fault ``meta``.
    """
    try:
        raw = json.loads(
            text.decode("utf-8", "replace"),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_Fraction,
            parse_constant=_constant,
        )
        meta = _meta(raw)
    except (ValueError, TypeError, RecursionError) as error:
        raise _fault("meta", f"meta.json was not written by Consul{_reason(error)}") from error
    if meta.version != _VERSION:
        raise _fault("meta", f"meta.json has version {meta.version}; Consul restores only version {_VERSION}")
    if meta.index >= _INDEX_LIMIT:
        raise _fault("meta", f"meta.json has the raft index {meta.index}, which is too large for raft", _DEADLY)
    return meta


def compare_sums(text: bytes, actual: Mapping[str, str]) -> None:
    """Compare ``SHA256SUMS`` with the digests (hex) of the members by their names.

    :raises ArchiveError: one is missing, wrong or too many; fault ``sums``.
    """
    seen = set()
    lines = text.split(b"\n")
    # As for Go's scanner, the last line may end without a line break, and then there is none behind it.
    for line in lines[:-1] if not lines[-1] else lines:
        match = _SUM_LINE.fullmatch(line) if len(line) < _LONGEST_LINE else None
        if match is None:
            raise _fault("sums", "SHA256SUMS contains a line that is not a checksum")
        name = match.group(2).decode("utf-8", "backslashreplace")
        if name not in actual:
            raise _fault("sums", f"SHA256SUMS has a checksum for {name[:80]!r}, which is not in the archive")
        if match.group(1).decode().lower() != actual[name]:
            raise _fault("sums", f"the checksum of {name} does not match")
        seen.add(name)
    for name in actual:
        if name not in seen:
            raise _fault("sums", f"SHA256SUMS has no checksum for {name}")


class _Strange(ValueError):
    """What is wrong, in words that hold nothing from the file but names of keys."""


class _Fraction(str):
    """A number that is not written as a whole one."""


def _meta(raw: Any) -> Meta:
    fields = _fields(raw, _KEYS, "meta.json")
    _peers(fields["Peers"])
    _number(fields, "ConfigurationIndex", _UNSIGNED)
    identity = _text(fields, "ID")
    taken = _META_ID.fullmatch(identity)
    return Meta(
        id=identity,
        index=_number(fields, "Index", _UNSIGNED),
        term=_number(fields, "Term", _UNSIGNED),
        version=_number(fields, "Version", _SIGNED),
        size=_number(fields, "Size", _SIGNED),
        taken_at=int(taken.group(1)) / 1000 if taken else None,
        servers=_servers(fields["Configuration"]),
    )


def _servers(raw: Any) -> tuple[Server, ...]:
    listed = None if raw is None else _fields(raw, ("Servers",), "Configuration", needed=False).get("Servers")
    if listed is not None and (isinstance(listed, _Pairs) or not isinstance(listed, list)):
        raise _Strange("Servers is not a list")
    servers = []
    for one in listed or []:
        fields = _fields(one, _SERVER_KEYS, "a server")
        suffrage = _number(fields, "Suffrage", _SIGNED)
        word = _SUFFRAGES.get(suffrage, f"Unknown({suffrage})")
        servers.append(Server(_text(fields, "ID"), _text(fields, "Address"), word))
    return tuple(servers)


def _peers(raw: Any) -> None:
    if raw is not None and not (isinstance(raw, str) and _BASE64.fullmatch(re.sub(r"[\r\n]", "", raw))):
        raise _Strange("Peers is not base64")


def _fields(raw: Any, keys: tuple[str, ...], what: str, *, needed: bool = True) -> dict[str, Any]:
    if not isinstance(raw, _Pairs):
        raise _Strange(f"{what} is not an object")
    wanted = {key.lower(): key for key in keys}
    found: dict[str, Any] = {}
    for name, value in raw:
        key = wanted.get(name.translate(_FOLDED).lower())
        if key is None:
            continue
        if key in found:
            raise _Strange(f"{key} is duplicated")
        found[key] = value
    missing = [key for key in keys if key not in found]
    if missing and needed:
        raise _Strange(f"{what} has no {missing[0]}")
    return found


class _Pairs(list):  # type: ignore[type-arg]  # pairs of a name and whatever JSON knows
    """An object's keys and values in their order, doubled ones included."""


def _object(pairs: list[tuple[str, Any]]) -> _Pairs:
    return _Pairs(pairs)


def _number(fields: Mapping[str, Any], key: str, possible: range) -> int:
    value = fields[key]
    if not isinstance(value, _Whole) or value.number not in possible or (value.negative and possible is _UNSIGNED):
        raise _Strange(f"{key} is not an integer in its range")
    return value.number


class _Whole(NamedTuple):
    """A whole number, and whether it has a sign: Go takes -0 for none that is unsigned."""

    number: int
    negative: bool


def _whole(text: str) -> _Whole | _Fraction:
    # Longer ones fit into no field, and Python is slow at them.
    return _Whole(int(text), text.startswith("-")) if _WHOLE.fullmatch(text) else _Fraction(text)


def _constant(_name: str) -> Any:
    raise _Strange("a value is not JSON")


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields[key]
    if not isinstance(value, str) or isinstance(value, _Fraction):
        raise _Strange(f"{key} is not a string")
    # Half a character, which can't be written anywhere; Go replaces it as well.
    return _SURROGATE.sub("\ufffd", value)


def _reason(error: Exception) -> str:
    return f": {error}" if isinstance(error, _Strange) else ""


_NOT_USABLE = "Don't use this archive. Take a new one, or use an older one that verifies."
_DEADLY = f"A server that restores it may fail at every start. {_NOT_USABLE}"


def _fault(fault: str, message: str, hint: str = _NOT_USABLE) -> ArchiveError:
    return ArchiveError(message, fault=fault, hint=hint)
