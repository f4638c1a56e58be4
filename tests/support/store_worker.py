# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers and readers of stores in processes of their own, which can be started at once, killed and measured.

Reads one JSON object from stdin: ``url`` and ``options`` of a store, ``do`` (``write``, ``read``), ``name``, ``pieces``
(how many of PIECE bytes), ``writers`` (how many processes), ``pause_after`` (pieces written; -1: never). Each writer
says ``ready``, waits for a line, and writes; at its pause it says ``paused`` and waits again. Each ends with a JSON
object: ``published`` or ``failed`` (a kind), and ``peak_kib``, its largest size in memory.

It runs on the Python of the modules (``make floor``), and imports nothing that only a controller has.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

PIECE = 1 << 20


def content(seed: str, pieces: int) -> Iterator[bytes]:
    """Yield pieces that differ from each other, and from those of another seed."""
    for number in range(pieces):
        yield hashlib.sha256(f"{seed}-{number}".encode()).digest() * (PIECE // 32)


def store_of(job: dict[str, Any]) -> Any:
    """Open the store."""
    from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage import (
        location,
        opening,
        settings,
    )

    options = dict(job["options"])
    if "object_lock" in options:
        options["object_lock"] = settings.ObjectLock(**options["object_lock"])
    return opening.open_store(location.parse_location(job["url"], "dest"), settings.StoreSettings(**options))


def say(text: str) -> None:
    """Write one line at once, so that those of several writers don't mix."""
    os.write(1, f"{text}\n".encode())


def wait(text: str) -> None:
    """Say something and wait for a line."""
    say(text)
    while os.read(0, 1) not in (b"\n", b""):
        pass


def peak_kib() -> int:
    """Return the largest size that this process had in memory, since it became this program."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def write(job: dict[str, Any], store: Any, seed: str) -> dict[str, Any]:
    """Write one object and publish it."""
    from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError

    digest = hashlib.sha256()
    wait("ready")
    try:
        with store.writer() as writer:
            writer.restart(job["name"])
            for number, piece in enumerate(content(seed, job["pieces"])):
                if number == job.get("pause_after", -1):
                    wait("paused")
                digest.update(piece)
                writer.write(piece)
            writer.sync()
            if job.get("pause_after", -1) == job["pieces"]:
                wait("paused")
            name = writer.publish(digest.hexdigest())
            return {"published": name, "sha256": digest.hexdigest(), "seed": seed}
    except SnapshotError as error:
        return {"failed": str(error.kind), "message": error.as_text(), "retryable": error.retryable}


def read(job: dict[str, Any], store: Any) -> dict[str, Any]:
    """Read one object to its end."""
    digest = hashlib.sha256()
    with store.read(job["name"]) as pieces:
        for piece in pieces:
            digest.update(piece)
    return {"sha256": digest.hexdigest()}


def main() -> None:
    """Do the job, in as many processes as it says."""
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1)
    job = json.loads(line)
    store, seed = store_of(job), "0"
    for number in range(1, job.get("writers", 1)):
        if os.fork() == 0:
            seed, store = str(number), store_of(job)
            break
    result = read(job, store) if job["do"] == "read" else write(job, store, seed)
    say(json.dumps({**result, "peak_kib": peak_kib()}))
    while seed == "0":
        try:
            os.wait()
        except ChildProcessError:
            break


if __name__ == "__main__":
    sys.exit(main())
