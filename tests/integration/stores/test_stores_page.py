# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/stores.md carried out: its commands in a shell, its tasks by the modules, its policies on a real S3 server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from support import aws
from support.calls import Calls
from support.kits import Shell

from env import places
from lab import Cluster
from lab.seed import seed

ServerOf = Callable[..., Any]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PAGE = places.CHECKOUT / "docs" / "stores.md"
BUCKET, PREFIX = "consul-backups", "production/"
LOCATION = f"s3://{BUCKET}/{PREFIX}"


def blocks(language: str) -> list[str]:
    """Return the blocks of a language, without the indentation that a list gives them."""
    found = []
    for indentation, kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == language:
            found.append("".join(line[len(indentation) :] for line in text.splitlines(keepends=True)))
    return found


def policies() -> dict[str, dict[str, Any]]:
    """Return the policies of the page by the statement that they begin with."""
    found = [json.loads(text) for text in blocks("json")]
    return {one["Statement"][0]["Sid"]: one for one in found if "Statement" in one}


def tasks() -> dict[str, dict[str, Any]]:
    """Return the options of the page's tasks, by module."""
    found: dict[str, dict[str, Any]] = {}
    for text in blocks("yaml"):
        block = yaml.safe_load(text)
        for task in block if isinstance(block, list) else []:
            (module,) = set(task) - {"name"}
            found[module.rpartition(".")[2]] = task[module]
    return found


class Reader:
    """Somebody who does what the page says, with the keys of an administrator in the shell."""

    def __init__(self, store: Any, directory: Path, consul: Path) -> None:
        self.store = store
        programs, self.home = directory / "bin", directory / "home"
        programs.mkdir()
        self.home.mkdir()
        aws.install(programs)
        (programs / "consul").symlink_to(consul)
        self._shell = Shell(
            self.home,
            programs,
            AWS_ENDPOINT_URL=store.endpoint,
            AWS_DEFAULT_REGION=store.region,
            AWS_ACCESS_KEY_ID=store.access_key,
            AWS_SECRET_ACCESS_KEY=store.secret_key,
        )

    def types(self, block: str) -> str:
        """Type commands, and return what they print."""
        return self._shell.run(block)

    def options(self, module: str, keys: dict[str, str], **changed: Any) -> dict[str, Any]:
        """Return the options of a task, with what leads it to this server instead of to AWS."""
        told = dict(tasks()[module])
        told["store"] = {**told.get("store", {}), **self.store.options(**keys)}
        return {**told, **changed}


def allow(store: Any, users: dict[str, dict[str, str]]) -> None:
    """Let each user do what a policy of the page allows, and nothing else."""
    statements = [
        {**statement, "Sid": f"{statement['Sid']}", "Principal": {"AWS": [keys["access_key"]]}}
        for name, keys in users.items()
        for statement in policies()[f"{name}Bucket"]["Statement"]
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    store.client().put_bucket_policy(Bucket=BUCKET, Policy=policy)


def as_user(store: Any, keys: dict[str, str]) -> Any:
    return store.client(aws_access_key_id=keys["access_key"], aws_secret_access_key=keys["secret_key"])


def refusal(action: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        action()
    return str(caught.value.response["Error"]["Code"])


def test_the_page_is_carried_out(
    server: ServerOf, shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path: Path
) -> None:
    store, cluster = server("versitygw"), shared_cluster(name_prefix="stores")
    seed(cluster, keys=10)
    reader = Reader(store, tmp_path, cluster.binary)
    made, versions, three = blocks("shell")
    create, _lifecycle = made.splitlines()
    reader.types(create)
    users = {name: store.user(BUCKET, "s3:ListBucket") for name in ("Save", "Restore", "Prune")}
    allow(store, users)
    client = store.client()

    # A first backup: the credentials are checked, and can save what they can't remove.
    checked = calls.ok(None, "store_check", **reader.options("store_check", users["Save"]))
    assert {row["name"] for row in checked["checks"] if row["ok"]} >= set(tasks()["store_check"]["require"])
    saved = calls.ok(cluster, "snapshot_save", **reader.options("snapshot_save", users["Save"]))
    key = PREFIX + Path(saved["dest"]).name
    assert (saved["dest"], saved["locked_until"] is None) == (f"{LOCATION}{Path(key).name}", False)
    again = calls.ok(cluster, "snapshot_save", **reader.options("snapshot_save", users["Save"]))
    assert (again["written"], again["dest"]) == (False, saved["dest"])
    assert refusal(lambda: as_user(store, users["Save"]).delete_object(Bucket=BUCKET, Key=key)) == "AccessDenied"

    # Whoever restores reads, and writes nothing.
    before = store.objects(BUCKET)
    copied = calls.ok(
        None, "snapshot_copy", **reader.options("snapshot_copy", users["Restore"], dest=f"{tmp_path}/other-site/")
    )
    assert [row["src"] for row in copied["copied"]] == [saved["dest"]]
    assert (tmp_path / "other-site" / Path(key).name).read_bytes() == before[key]
    found = calls.ok(None, "snapshot_list", **reader.options("snapshot_list", users["Restore"]))
    assert [row["path"] for row in found["archives"]] == [saved["dest"]]
    assert found["archives"][0]["locked_until"] is not None
    calls.fails(
        cluster, "snapshot_save", "store_denied", **reader.options("snapshot_save", users["Restore"], force=True)
    )
    assert store.objects(BUCKET) == before

    # Whoever prunes removes what is not locked.
    prune = as_user(store, users["Prune"])
    version = client.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    assert refusal(lambda: prune.delete_object(Bucket=BUCKET, Key=key, VersionId=version)) == "AccessDenied"

    # An object that was hidden is found, and comes back.
    prune.delete_object(Bucket=BUCKET, Key=key)
    assert key not in store.objects(BUCKET)
    (marker,) = json.loads(reader.types(versions))["DeleteMarkers"]
    assert marker["Key"] == key
    reader.types(f"aws s3api delete-object --bucket {BUCKET} --key {key} --version-id {marker['VersionId']}")
    assert store.objects(BUCKET)[key] == before[key]

    # At three in the morning.
    printed = reader.types(three.replace("production/ARCHIVE", key))
    assert key in printed
    assert str(saved["index"]) in printed
    assert (reader.home / "archive.snap").read_bytes() == before[key]


def test_what_an_upload_leaves_behind_is_removed_by_a_rule(server: ServerOf, tmp_path: Path) -> None:
    # versitygw has no such rules.
    store = server("seaweedfs")
    reader = Reader(store, tmp_path, Path("/bin/false"))
    rules = next(text for text in blocks("json") if "AbortIncompleteMultipartUpload" in text)
    (reader.home / "lifecycle.json").write_text(rules)
    reader.types(blocks("shell")[0])

    told = store.client().get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert told[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert store.client().get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"]
