# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions of ``schema``, made into functions when they are first needed (pure)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from . import schema as _schema

Check = Callable[[Any], str]
"""Takes a value, returns the path below it of the field that can't be read (``.ID``); empty where all is well."""

_NOT_BY_REFLECTION = (
    "ConfigEntryRequest Datacenter=s Entry=? Op=s Token=s",
    "ServiceVirtualIP CreateIndex=u64 IP=x ManualIPs=[s ModifyIndex=u64 Service=VirtualIPService",
    "VirtualIPService Name=s Peer=s ServiceName=VirtualIPServiceName",
    "VirtualIPServiceName Name=s",
)
"""Structs that Consul decodes by functions of its own, as those read them."""


@cache
def _table_of(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split())


@cache
def structs() -> dict[str, dict[str, str]]:
    """Return the definitions: ``{struct: {field: type}}``, the types as ``schema`` writes them."""
    lines: list[str] = []
    for line in _schema.STRUCTS.strip("\n").split("\n"):
        if line.startswith(" "):
            lines[-1] += line
        else:
            lines.append(line)
    split = [line.split(" ", 1) for line in [*lines, *_NOT_BY_REFLECTION]]
    return {parts[0]: _table_of(parts[1]) if len(parts) > 1 else {} for parts in split}


def check_of_type(type_id: int) -> Check | None:
    """Return the check of a record type; None where the definitions don't describe it."""
    told = _table_of(_schema.TYPES).get(str(type_id))
    return _check_of(told) if told else None


def check_of_kind(kind: str) -> Check | None:
    """Return the check of a kind of config entry; None where the definitions don't describe it."""
    told = _table_of(_schema.KINDS).get(kind)
    return _check_of(told) if told else None


@cache
def _check_of(told: str) -> Check:
    if told in _SCALARS:
        return _SCALARS[told]
    if told.startswith("["):
        return _list_of(told[1:])
    if told.startswith("{"):
        key, _sign, value = told[1:].partition(":")
        return _map_of(key, value)
    return check_of_struct(told)


_SHAPES = 256
"""How many shapes of a struct are remembered. Records of one type have few, unless somebody makes them up."""


@cache
def check_of_struct(name: str) -> Check:
    """Return the check of a struct."""
    told = {field.encode(): kind for field, kind in structs()[name].items()}
    shapes: dict[Any, list[tuple[bytes, str, Check]]] = {}

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return "" if value is None else _AT
        # What the types of the values say by themselves is looked at once for each shape.
        shape = (*value, *map(type, value.values()))
        deeper = shapes.get(shape)
        if deeper is None:
            if not all(isinstance(field, bytes) for field in value):
                return _AT
            deeper = [
                (field, f".{field.decode('utf-8', 'replace')}", _check_of(told.get(field, _UNKNOWN)))
                for field, inner in value.items()
                if type(inner) not in (_PLAIN.get(told[field], _NIL) if field in told else _WITHOUT_KEYS)
            ]
            if len(shapes) < _SHAPES:
                shapes[shape] = deeper
        for field, path, inner_check in deeper:
            fault = inner_check(value[field])
            if fault:
                return path + ("" if fault == _AT else fault)
        return ""

    return check


def _list_of(told: str) -> Check:
    plain, whole = _PLAIN.get(told), told not in _SCALARS

    def checked(value: Any) -> str:
        if not isinstance(value, list):
            return "" if value is None or value == {} else _AT
        if not value or (plain is not None and plain.issuperset(map(type, value))):
            return ""
        inner = _check_of(told)
        for one in value:
            # A struct in a list is held by a pointer in most, and nobody looks whether it is nil.
            fault = _AT if one is None and whole else inner(one)
            if fault:
                return "[]" + ("" if fault == _AT else fault)
        return ""

    return checked


def _map_of(key: str, told: str) -> Check:
    plain_keys, plain = _PLAIN.get(key, _NIL) - _NIL, _PLAIN.get(told, _NIL)

    def checked(value: Any) -> str:
        if value is None or value == {}:
            return ""
        pairs = _pairs(value, key)
        if pairs is None:
            return _AT
        keys, values = zip(*pairs)
        if plain_keys.issuperset(map(type, keys)) and plain.issuperset(map(type, values)):
            return ""
        key_check, inner = _check_of(key), _check_of(told)
        for one, held in pairs:
            fault = _AT if one is None or key_check(one) else inner(held)
            if fault:
                return "{}" + ("" if fault == _AT else fault)
        return ""

    return checked


def _pairs(value: Any, key: str) -> list[tuple[Any, Any]] | None:
    if isinstance(value, dict):
        return list(value.items())
    # A map whose keys are structs was decoded as a list of pairs (``records/canonical``).
    if key in _SCALARS or not isinstance(value, list) or not value:
        return None
    good = all(isinstance(pair, list) and len(pair) == 2 for pair in value)
    return [(pair[0], pair[1]) for pair in value] if good else None


_TIME_SIZES = {1: 15, 2: 16}
"""Length of Go's binary time, by its first byte."""
_AT = "."
"""The value itself is at fault, nothing below it."""
_NIL = frozenset({type(None)})
_UNKNOWN = "?"
"""A field without a definition is skipped by the decoder, but the keys of maps in it still have to be text."""
_WITHOUT_KEYS = _NIL | {bool, int, float, bytes}
_PLAIN = {"s": _NIL | {bytes}, "x": _NIL | {bytes}, "b": _NIL | {bool}}


def _scalar(fits: Callable[[Any], bool]) -> Check:
    return lambda value: "" if value is None or fits(value) else _AT


def _whole(low: int, high: int) -> Check:
    return _scalar(lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high)


def _is_time(value: Any) -> bool:
    return isinstance(value, bytes) and bool(value) and _TIME_SIZES.get(value[0]) == len(value)


def _is_any(value: Any) -> bool:
    # Whatever a map in it holds, its keys become text.
    if isinstance(value, dict):
        return all(isinstance(key, bytes) and _is_any(one) for key, one in value.items())
    return all(map(_is_any, value)) if isinstance(value, list) else True


_SCALARS: dict[str, Check] = {
    "s": _scalar(lambda value: isinstance(value, bytes)),
    "x": _scalar(lambda value: isinstance(value, bytes)),
    "b": _scalar(lambda value: isinstance(value, bool)),
    "f32": _scalar(lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "f64": _scalar(lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "t": _scalar(_is_time),
    "?": _scalar(_is_any),
    **{f"u{bits}": _whole(0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"i{bits}": _whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
}
