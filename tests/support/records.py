# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of a real archive changed one by one, sums and sizes put right: what a server can't be brought to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgpack

from support.archives import STATE, part_of, with_state
from support.states import packed

Change = Callable[[dict[bytes, Any]], Mapping[bytes, Any] | None]
Choose = Callable[[dict[bytes, Any]], bool]


def without(archive: bytes, type_id: int, choose: Choose) -> bytes:
    """Return a well-formed archive that lacks those records of one type that are chosen, which must be some."""
    state = part_of(archive, STATE)
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=len(state))
    unpacker.feed(state)
    unpacker.skip()
    kept, count = [state[: unpacker.tell()]], 0
    while unpacker.tell() < len(state):
        start = unpacker.tell()
        found = unpacker.read_bytes(1)[0]
        value = unpacker.unpack()
        if found == type_id and choose(value):
            count += 1
        else:
            kept.append(state[start : unpacker.tell()])
    if not count:
        raise AssertionError(f"no record of type {type_id} was chosen")
    return with_state(archive, b"".join(kept))


def with_changed(archive: bytes, type_id: int, change: Change) -> bytes:
    """Return a well-formed archive whose records of one type are what ``change`` makes of them; None leaves one alone.

    At least one must be changed.
    """
    state = part_of(archive, STATE)
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=len(state))
    unpacker.feed(state)
    unpacker.skip()
    written, copied, count = [], 0, 0
    while unpacker.tell() < len(state):
        start = unpacker.tell()
        found = unpacker.read_bytes(1)[0]
        if found != type_id:
            unpacker.skip()
            continue
        changed = change(unpacker.unpack())
        if changed is not None:
            written += [state[copied:start], bytes([type_id]), packed(changed)]
            copied, count = unpacker.tell(), count + 1
    if not count:
        raise AssertionError(f"no record of type {type_id} was changed")
    return with_state(archive, b"".join([*written, state[copied:]]))
