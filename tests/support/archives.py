# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives taken apart and put together again, one piece changed at a time, so that only that piece is at fault.

Written with Python's own gzip, tar and hashes: nothing of the code under test is used.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

META, STATE, SUMS = "meta.json", "state.bin", "SHA256SUMS"
GZIP_HEADER, GZIP_TRAILER = "the gzip header", "the gzip trailer"
LAYERS = (GZIP_HEADER, META, STATE, SUMS, GZIP_TRAILER)

BLOCK = 512
_HEADER_BYTES, _TRAILER_BYTES = 10, 8
_CHECKSUM = slice(148, 156)
_SIZE = slice(124, 136)


class Part(NamedTuple):
    """A member of the archive's tar."""

    name: str
    data: bytes


HeaderWriter = Callable[[Part], bytes]


def ustar_header(part: Part) -> bytes:
    """Return a tar header as Go writes it for all but huge members."""
    return _info(part).tobuf(tarfile.USTAR_FORMAT)


def pax_header(part: Part) -> bytes:
    """Return a tar header whose size stands in a PAX record, as Go writes it from 8 GiB on."""
    info = _info(part)
    info.pax_headers = {"size": str(len(part.data))}
    return info.tobuf(tarfile.PAX_FORMAT)


def gnu_header(part: Part) -> bytes:
    """Return a tar header whose size is in GNU's base 256, which Go can write from 8 GiB on."""
    header = bytearray(_info(part).tobuf(tarfile.GNU_FORMAT))
    header[_SIZE] = b"\x80" + len(part.data).to_bytes(11, "big")
    header[_CHECKSUM] = b" " * 8
    header[_CHECKSUM] = b"%06o\0 " % sum(header)
    return bytes(header)


def parts_of(archive: bytes) -> list[Part]:
    """Return an archive's members in their order."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive)), mode="r:") as tar:
        return [Part(info.name, tar.extractfile(info).read()) for info in tar]


def part_of(archive: bytes, name: str) -> bytes:
    """Return the content of one member."""
    return next(part.data for part in parts_of(archive) if part.name == name)


def tar_of(parts: Iterable[Part], *, header: HeaderWriter = ustar_header, end: bytes = bytes(2 * BLOCK)) -> bytes:
    """Return a tar of these members."""
    written = (header(part) + part.data + bytes(-len(part.data) % BLOCK) for part in parts)
    return b"".join(written) + end


def zipped(data: bytes) -> bytes:
    """Return ``data`` in gzip, fast rather than small."""
    return gzip.compress(data, compresslevel=1, mtime=0)


def archive_of(parts: Iterable[Part], **options: Any) -> bytes:
    """Return an archive of these members; the options are those of ``tar_of``."""
    return zipped(tar_of(parts, **options))


def sums_of(parts: Iterable[Part]) -> bytes:
    """Return the text of SHA256SUMS for these members."""
    lines = (f"{hashlib.sha256(part.data).hexdigest()}  {part.name}\n" for part in parts if part.name != SUMS)
    return "".join(lines).encode()


def mended(parts: Iterable[Part], *, size: bool = True) -> list[Part]:
    """Return the members with ``Size`` and SHA256SUMS put right, so that only the records can be at fault."""
    changed = {part.name: part.data for part in parts}
    if size:
        changed[META] = with_meta(changed[META], Size=len(changed[STATE]))
    changed[SUMS] = sums_of(Part(name, changed[name]) for name in (META, STATE))
    return [Part(name, data) for name, data in changed.items()]


def with_meta(meta: bytes, **changes: Any) -> bytes:
    """Return the text of meta.json with some keys changed."""
    return json.dumps({**json.loads(meta), **changes}).encode() + b"\n"


def index_of(archive: bytes) -> int:
    """Return the raft index that an archive's meta.json tells."""
    return int(json.loads(part_of(archive, META))["Index"])


def replaced(archive: bytes, name: str, data: bytes) -> list[Part]:
    """Return the members with the content of one changed, and nothing put right for it."""
    return [Part(part.name, data if part.name == name else part.data) for part in parts_of(archive)]


def with_state(archive: bytes, state: bytes) -> bytes:
    """Return a well-formed archive around another state: sums and ``Size`` are right."""
    return archive_of(mended(replaced(archive, STATE, state)))


def cut_inside(archive: bytes, layer: str) -> bytes:
    """Return the archive's first bytes, up to the middle of a layer (one of LAYERS)."""
    if layer == GZIP_HEADER:
        return archive[: _HEADER_BYTES // 2]
    if layer == GZIP_TRAILER:
        return archive[: -_TRAILER_BYTES // 2]
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive)), mode="r:") as tar:
        info = tar.getmember(layer)
    low, high, wanted = 0, len(archive), info.offset_data + info.size // 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _inflated(archive[:middle]) >= wanted else (middle + 1, high)
    if not info.offset_data < _inflated(archive[:low]) < info.offset_data + info.size:
        raise AssertionError(f"no cut of the compressed bytes ends inside {layer}")
    return archive[:low]


def flipped(archive: bytes, offset: int, bit: int = 0) -> bytes:
    """Return the archive with one bit the other way round."""
    return archive[:offset] + bytes([archive[offset] ^ 1 << bit]) + archive[offset + 1 :]


def same_content(archive: bytes, spoilt: bytes) -> bool:
    """Whether a spoilt archive still holds the same bytes, so that nobody can see that it is spoilt.

    Such are the bits of gzip's header that tell time and system, the padding of the last compressed byte, and where a
    run of zeros is copied from.
    """
    try:
        return zlib.decompress(spoilt, wbits=31) == zlib.decompress(archive, wbits=31)
    except zlib.error:
        return False


def _inflated(data: bytes) -> int:
    return len(zlib.decompressobj(wbits=31).decompress(data))


def _info(part: Part) -> tarfile.TarInfo:
    info = tarfile.TarInfo(part.name)
    info.size, info.mode, info.mtime = len(part.data), 0o600, 1_700_000_000
    return info
