# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that stand for a lot of work: each is answered in no time and little memory."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import archives
from support.archives import BLOCK, META, Part, archive_of, parts_of, zipped
from support.states import archive_around, kv, node, packed, state_of

SECONDS, MIB = 5, 100
"""What a case may take at most, on a machine that has other things to do; what it took before was far more."""

ARCHIVE = archive_around(state_of([node("web"), kv("a", b"1")]))
PARTS = parts_of(ARCHIVE)
HEADER = state_of([])


def summed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def with_size(field: bytes) -> bytes:
    """Return an archive whose first member tells this size."""

    def header(part: Part) -> bytes:
        block = bytearray(archives.ustar_header(part))
        if part.name == META:
            block[124:136] = field.ljust(12, b"\0")
        return summed(block)

    return archive_of(PARTS, header=header)


def with_extended(records: bytes) -> bytes:
    """Return an archive with an extended header of these records."""
    block = bytearray(archives.ustar_header(Part("PaxHeaders", records)))
    block[156:157] = b"x"
    tar = gzip.decompress(ARCHIVE)
    return zipped(summed(block) + records + bytes(-len(records) % BLOCK) + tar)


def with_record(type_id: int, raw: bytes) -> bytes:
    return archive_around(HEADER + bytes([type_id]) + raw)


def array(count: int, element: bytes) -> bytes:
    return b"\xdd" + struct.pack(">I", count) + element * count


LIES = b"\xdd\xff\xff\xff\xff"
SMALL_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a negative size in base 256": (lambda: with_size(b"\xff" * 12), "tar"),
    "a negative size in octal": (lambda: with_size(b"-17"), "tar"),
    "a size that Go can't count to": (lambda: with_size(b"\x80" + bytes(3) + b"\x80" + bytes(7)), "tar"),
    "a negative size in an extended header": (lambda: with_extended(b"11 size=-9\n"), "tar"),
    "an extended header of many records": (lambda: with_extended(b"6 k=v\n" * 150_000), ""),
    "a record of nils": (lambda: with_record(99, array(30_000_000, b"\xc0")), "records"),
    "a record of empty maps": (lambda: with_record(99, array(4_000_000, b"\x80")), ""),
    "a record of pairs": (lambda: with_record(99, b"\xdf\x00\x20\x00\x00" + b"\x01\x02" * 0x200000), ""),
    "a record of lists in lists": (lambda: with_record(99, b"\x91" * 100_000 + b"\xc0"), "records"),
    "a number without end": (lambda: with_record(35, packed(b"\x08" + b"\xff" * 400_000)), ""),
    "many fields": (lambda: with_record(35, packed(b"\x08\x01" * 2_000_000)), ""),
    "a name without end": (lambda: with_record(38, packed(b"\x08\x01" * 2_000_000)), ""),
    "elements that lie in a config entry": (lambda: with_record(22, packed(b"\xa4mesh" + LIES)), ""),
    "a length that lies": (lambda: with_record(99, b"\xdb\xff\xff\xff\xff" + bytes(130 << 20)), "records"),
    "a record that is too long": (lambda: with_record(99, b"\xdb\x10\x00\x00\x01" + bytes(16 << 20)), "records"),
    "a long record": (lambda: with_record(99, b"\xdb\x08\x00\x00\x00" + bytes(128 << 20)), ""),
    "a header that lies": (lambda: archive_around(LIES + bytes(100)), "records"),
    "a header that is no end of": (lambda: archive_around(b"\x91" * 300 + bytes(1 << 20)), "records"),
}

PROGRAM = """
import re, resource, sys, time
from pathlib import Path
from {package}._snapshot.reader import read_archive
from {package}._errors import ArchiveError
from {package}._snapshot import reader
reader.is_of_use = lambda: False
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
data = Path(sys.argv[1]).read_bytes()
Path("/proc/self/clear_refs").write_text("5")
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1))
before, began = peak(), time.process_time()
try:
    read_archive([data])
    told = "-"
except ArchiveError as error:
    told = error.fault
print(told, time.process_time() - began, (peak() - before) / 1024)
"""


@pytest.mark.parametrize(("made", "fault"), SMALL_FILES.values(), ids=SMALL_FILES)
def test_a_small_file_takes_little(made: Callable[[], bytes], fault: str, tmp_path: Path) -> None:
    archive = made()
    path = tmp_path / "x.snap"
    path.write_bytes(archive)
    assert len(archive) < 1 << 21
    package = "ansible_collections.disaster_recovery.consul.plugins.module_utils"
    command = [sys.executable, "-c", PROGRAM.format(package=package), str(path)]
    environment = {"PYTHONPATH": ":".join(sys.path)}

    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (time.monotonic() - began, done.stderr[-500:])
    told, seconds, mib = done.stdout.split()
    assert told == (fault or "-")
    assert float(seconds) < SECONDS
    assert float(mib) < MIB


def test_the_501_bytes_that_hung_the_module(tmp_path: Path) -> None:
    # One header whose size is -512: reading went back to it for ever.
    block = bytearray(archives.ustar_header(Part("x", b"")))
    block[156:157] = b"x"
    block[124:136] = b"\xff" * 10 + b"\xfe\x00"
    path = tmp_path / "x.snap"
    path.write_bytes(gzip.compress(summed(block), 9))
    package = "ansible_collections.disaster_recovery.consul.plugins.module_utils"
    command = [sys.executable, "-c", PROGRAM.format(package=package), str(path)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.split()[0] == "tar"
