# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of one real cluster, made into those of others: with raft servers of their own, and a manifest that fits."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from support.archives import META, archive_of, mended, part_of, replaced, with_meta

MANIFEST = ".manifest.json"


def servers_of(cluster: str, count: int = 3) -> list[str]:
    """Return raft ids that no other name has."""
    return sorted(str(uuid.uuid5(uuid.NAMESPACE_URL, f"{cluster}/{number}")) for number in range(count))


def copy_for(archive: bytes, cluster: str, **meta: Any) -> bytes:
    """Return the archive as servers of another cluster would have taken it; ``meta`` changes keys of its meta.json."""
    told = json.loads(part_of(archive, META))
    named = [
        {"Suffrage": 0, "ID": one, "Address": f"10.0.0.{number}:8300"} for number, one in enumerate(servers_of(cluster))
    ]
    configuration = {**told["Configuration"], "Servers": named}
    return archive_of(
        mended(replaced(archive, META, with_meta(part_of(archive, META), Configuration=configuration, **meta)))
    )


def put_copy(
    archive: bytes, manifest: str | None, path: Path, *, name: str | None, data: bytes | None = None, **changes: Any
) -> None:
    """Write an archive, and a manifest for it that is made of another one's text.

    :param name: the cluster that it is saved for; None for one that does not say.
    :param data: what is written in place of the archive that the manifest is for.
    """
    path.write_bytes(archive if data is None else data)
    if manifest is None:
        return
    told = json.loads(manifest)
    told["archive"] = {"file": path.name, "size": len(archive), "sha256": hashlib.sha256(archive).hexdigest()}
    ids = sorted(one["ID"] for one in json.loads(part_of(archive, META))["Configuration"]["Servers"])
    told["cluster"] = {**told["cluster"], "name": name, "servers": ids}
    told["meta"]["id"] = json.loads(part_of(archive, META))["ID"]
    path.with_name(path.name + MANIFEST).write_text(json.dumps({**told, **changes}), encoding="utf-8")
