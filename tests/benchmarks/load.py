# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark stores in a server, through plain HTTP."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab.cluster import Cluster

# Consul 1.22.7 takes 128 operations and 512 KiB of body in one transaction.
_OPERATIONS = 128
_WRITERS = 4
_LARGE_VALUE = 500_000


def many_keys(cluster: Cluster, count: int) -> None:
    """Write ``count`` keys with values of about 1.1 kB, the kind of JSON that services keep in Consul."""
    batches = ([_set(index) for index in range(first, min(first + _OPERATIONS, count))] for first in _firsts(count))
    with ThreadPoolExecutor(_WRITERS) as writers:
        for _answer in writers.map(lambda batch: cluster.put("/v1/txn", batch), batches):
            pass


def some_changes(cluster: Cluster, count: int = 5000) -> None:
    """Change some of what ``many_keys`` wrote, delete as many, and write as many new ones."""
    value = base64.b64encode(b"changed").decode()
    keys = cluster.get("/v1/kv/app/?keys")[: 2 * count]
    operations = [
        *({"KV": {"Verb": "set", "Key": key, "Value": value}} for key in keys[:count]),
        *({"KV": {"Verb": "delete", "Key": key}} for key in keys[count:]),
        *({"KV": {"Verb": "set", "Key": f"new/{index}", "Value": value}} for index in range(count)),
    ]
    for first in range(0, len(operations), _OPERATIONS):
        cluster.put("/v1/txn", operations[first : first + _OPERATIONS])


def large_values(cluster: Cluster, megabytes: int) -> None:
    """Write values of 500 kB that don't compress."""
    source = random.Random(2)
    for index in range(megabytes * 1_000_000 // _LARGE_VALUE):
        cluster.http("PUT", f"/v1/kv/large/{index:06d}", data=source.randbytes(_LARGE_VALUE), check=True)


def _firsts(count: int) -> Iterator[int]:
    return iter(range(0, count, _OPERATIONS))


def _set(index: int) -> dict[str, Any]:
    value = base64.b64encode(_value(index)).decode()
    return {"KV": {"Verb": "set", "Key": f"app/{index % 100}/config/{index}", "Value": value}}


def _value(index: int) -> bytes:
    source = random.Random(index)
    document = {
        "id": index,
        "name": f"service-{index}",
        "owner": f"team-{index % 40}",
        "limits": [source.getrandbits(64) for _number in range(38)],
        "description": "what a person wrote about it, the same for most of them. " * 4,
    }
    return json.dumps(document).encode()
