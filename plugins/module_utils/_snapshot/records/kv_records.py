# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KVS records taken straight from the state's bytes.

Nearly all of a large state is KVS records, and all of them have one layout: seven fields in alphabetical order, because
Consul's encoder sorts a struct's fields. Reading that layout where it stands takes a third of the time that decoding
does. Whatever doesn't look exactly like it goes the general way; both give the same digest.
"""

from __future__ import annotations

import re
from hashlib import sha256

from .long_record import HELD

_UINT = rb"(?:[\x00-\x7f]|\xcc.|\xcd..|\xce.{4}|\xcf.{8})"
_HEAD = re.compile(rb"\x02\x87\xabCreateIndex" + _UINT + rb"(\xa5Flags)" + _UINT + rb"\xa3Key", re.DOTALL)
_UUID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SESSION = rb"\xa7Session(?:\xa0|\xda\x00\x24" + _UUID + rb")"
_TAIL = re.compile(
    rb"\xa9LockIndex" + _UINT + rb"\xabModifyIndex" + _UINT + _SESSION + rb"(\xa5Value)",
    re.DOTALL,
)
_FIXRAW, _NIL, _RAW16, _RAW32 = 0xA0, 0xC0, 0xDA, 0xDB


def read_kv_run(buffer: bytes, position: int, digests: list[bytes], keys: list[tuple[bytes, int]] | None) -> int:
    """Read KVS records from ``position`` on for as long as they are whole and of the known layout.

    :param digests: gets each record's digest (see ``fingerprint``).
    :param keys: gets each record's key and size in bytes; None when nobody asks.
    :returns: the offset of the first byte that was not read.
    """
    head_at, tail_at, size = _HEAD.match, _TAIL.match, len(buffer)
    # Nearly all the time of a large state passes here: nothing is called, and no value is copied, without need.
    # The digest is what ``record_digest`` returns for Flags, Key and Value, which do not stand side by side.
    add, view = digests.append, memoryview(buffer)
    try:
        while True:
            head = head_at(buffer, position)
            if head is None:
                return position
            key = head.end() + 1
            mark = buffer[key - 1]
            if _FIXRAW < mark < _NIL:
                key_end = key + (mark & 0x1F)
            elif mark == _RAW16:
                key += 2
                key_end = key + (buffer[key - 2] << 8 | buffer[key - 1])
            else:
                return position
            tail = tail_at(buffer, key_end)
            if tail is None:
                return position
            value = tail.end()
            mark = buffer[value]
            if mark == _RAW16:
                end = value + 3 + (buffer[value + 1] << 8 | buffer[value + 2])
            elif _FIXRAW <= mark < _NIL:
                end = value + 1 + (mark & 0x1F)
            elif mark == _NIL:
                end = value + 1
            elif mark == _RAW32:
                end = value + 5 + int.from_bytes(buffer[value + 1 : value + 5], "big")
                if end - position > HELD:
                    return position
            else:
                return position
            if end > size:
                return position
            content = sha256(buffer[head.start(1) : key_end])
            content.update(view[tail.start(1) : end])
            add(content.digest())
            if keys is not None:
                keys.append((buffer[key:key_end], end - position))
            position = end
    except IndexError:
        # The buffer ends inside a length.
        return position
