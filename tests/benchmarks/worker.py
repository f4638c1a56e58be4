# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One measured use of the collection's own code in a Python of its own: JSON arguments in, JSON figures out.

The clock starts when the imports are done, so that what is compared with a compiled program is the work and not the
start of an interpreter. CPU time and peak memory are the whole process's, imports and children included.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from env import places

sys.path.insert(0, os.environ.get("ANSIBLE_COLLECTIONS_PATH") or str(places.linked_tree()))

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.diff_text import summary_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_diff import Selection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client, Connection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.describe import (
    DescribeRequest,
    describe,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.diff import DiffRequest, compare
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.listing import (
    ListRequest,
    list_archives,
    results,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.run import prune
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.view import PruneRequest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.run import (
    RestoreRequest,
    restore,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.run import SaveRequest, save
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.retention.policy import Policy
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import (
    SealingSettings,
    StoreSettings,
)


def saving(
    *,
    port: int,
    token: str,
    dest: str,
    store: Mapping[str, Any] | None = None,
    sealing: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Save into a file or a bucket: verification, fingerprint, fsync and manifest included."""
    sealing = {**(sealing or {}), "recipients": tuple((sealing or {}).get("recipients", ()))}
    request = SaveRequest(
        dest=dest,
        datacenter=None,
        stale=False,
        max_stale=None,
        max_age=None,
        skip_unchanged=False,
        force=True,
        store=StoreSettings(**(store or {})),
        sealing=SealingSettings(**sealing),
    )
    journal = Journal(lambda text: print(text, file=sys.stderr))
    saved = save(_client(port, token), request, journal, check=False)
    return {"size": saved.entry.manifest.size, "records": saved.entry.manifest.records}


def by_hand(
    *,
    consul: str,
    age: str,
    environment: Mapping[str, str],
    directory: str,
    recipients: Sequence[str],
    store: Mapping[str, str],
    bucket: str,
) -> dict[str, Any]:
    """Do without the collection what a sealed save into a bucket does, as a script of two programs and boto3."""
    import boto3
    from botocore.config import Config

    plain, sealed = Path(directory, "by-hand.snap"), Path(directory, "by-hand.snap.age")
    command = [age, "-o", str(sealed), *(word for recipient in recipients for word in ("-r", recipient)), str(plain)]
    subprocess.run(
        [consul, "snapshot", "save", str(plain)],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    subprocess.run(command, check=True)
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=store["endpoint_url"],
        region_name=store["region"],
        aws_access_key_id=store["access_key"],
        aws_secret_access_key=store["secret_key"],
        config=Config(s3={"addressing_style": "path"}),
    )
    client.upload_file(str(sealed), bucket, sealed.name)
    return {"size": sealed.stat().st_size}


def describing(*, path: str) -> dict[str, Any]:
    """Verify and describe an archive, keys by prefix and findings included."""
    described = describe(DescribeRequest(path=path), Journal())
    return {"size": described.file.digest.size, "fingerprint": described.archive.state.fingerprint.overall}


def comparing(*, before: str, after: str) -> dict[str, Any]:
    """Compare two archives that have no manifests, names of what was removed included."""
    request = DiffRequest(before=before, after=after, datacenter=None, selection=Selection(), limit=100)
    compared = compare(request, _nobody, lambda error: print(error, file=sys.stderr))
    return {"summary": summary_of(compared.types)}


def restoring(*, port: int, token: str, src: str) -> dict[str, Any]:
    """Restore into a fresh server, guards, waiting and proof included; the phases tell them apart."""
    client, journal = _client(port, token), Journal()
    request = RestoreRequest(src=src, datacenter=None, backup_dir=None, accept_risks=(), wait_timeout=60)
    restore(client, client, request, journal, check=False)
    return {"phases": journal.duration}


def listing(*, path: str, store: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """List all archives of a store, with the result as the module gives it."""
    now = time.time()
    listed = list_archives(ListRequest(path=path, store=StoreSettings(**(store or {}))), Journal(), now)
    return {"archives": len(results(listed, now))}


def pruning(*, path: str, keep: int, check: bool, store: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Remove all but the last archives of each cluster of a store."""
    journal, policy = Journal(), Policy(last=keep, max_remove=1_000_000)
    location = parse_location(path, "path").as_store()
    request = PruneRequest(location=location, policy=policy, store=StoreSettings(**(store or {})))
    prune(request, journal, time.time(), check=check)
    return {"removed": len(journal.shown["removed"])}


def _nobody() -> Client:
    raise RuntimeError("two archives need no client")


def _client(port: int, token: str) -> Client:
    return Client(Connection(host="127.0.0.1", port=port, token=token))


ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "saving": saving,
    "by_hand": by_hand,
    "describing": describing,
    "comparing": comparing,
    "restoring": restoring,
    "listing": listing,
    "pruning": pruning,
}


def main() -> None:
    """Do what the command line names, with the arguments that stdin holds."""
    action, arguments = ACTIONS[sys.argv[1]], json.load(sys.stdin)
    if "store" in arguments:
        # Imports are not counted; where there is no store, this one would take memory all the same.
        importlib.import_module("boto3")
    begun = time.monotonic()
    figures = action(**arguments)
    seconds = time.monotonic() - begun
    measured = {"seconds": seconds, "peak_kib": peak_kib(), "cpu_seconds": cpu_seconds()}
    json.dump({**measured, **figures}, sys.stdout)


def cpu_seconds() -> float:
    """Return the CPU time that this program and its children took."""
    usages = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_kib() -> int:
    """Return the largest resident size this program had, in KiB; what its parent had does not count."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not tell the peak memory")


if __name__ == "__main__":
    main()
