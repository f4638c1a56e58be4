# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions on the page about stores are those that the backends name when they lack one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.store_options import (
    FITTING,
    STORE_OPTIONS,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends import gcs_errors as gcs
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.s3_errors import (
    OPERATIONS as S3,
)

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "stores.md").read_text(encoding="utf-8")
JSON = re.compile(r"^ *```json\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
BLOCKS: list[dict[str, Any]] = [json.loads(text) for text in JSON.findall(PAGE)]

READING = ["ListObjectsV2", "HeadObject", "GetObject"]
SAVING = [*READING, "PutObject", "UploadPart", "AbortMultipartUpload", "ListMultipartUploads", "PutObjectRetention"]
OPERATIONS = {
    "Save": [*SAVING, "CreateMultipartUpload", "CompleteMultipartUpload", "GetObjectLockConfiguration"],
    "Restore": READING,
    "Prune": [*READING, "DeleteObject", "ListObjectVersions"],
}


@pytest.mark.parametrize("task", OPERATIONS)
def test_the_policies_of_s3_allow_what_a_task_does_and_no_more_than_its_verbs(task: str) -> None:
    statements = [
        statement
        for block in BLOCKS
        for statement in block.get("Statement", ())
        if statement["Sid"] in (f"{task}Bucket", f"{task}Objects")
    ]
    allowed = {action for statement in statements for action in statement["Action"]}
    needed = {name for one in OPERATIONS[task] for name in re.findall(r"s3:\w+", S3[one].permission)}

    assert needed - allowed == set()
    assert {action for action in allowed - needed if not action.startswith("s3:Get")} == set()


READS = (gcs.READ, gcs.LIST)
GCS = {
    "save": (*READS, gcs.CREATE, gcs.CREATE_LOCKED, gcs.RETAIN),
    "restore": READS,
    "prune": (*READS, gcs.DELETE),
}


@pytest.mark.parametrize("task", GCS)
def test_the_roles_of_google_allow_what_a_task_does_and_no_more(task: str) -> None:
    (role,) = [block for block in BLOCKS if block.get("title") == f"Consul backups: {task}"]
    needed = {name for operation in GCS[task] for name in re.findall(r"storage\.\w+\.\w+", operation.permission)}

    assert set(role["includedPermissions"]) == needed


@pytest.mark.parametrize(("task", "verbs"), [("save", "add read write"), ("restore", "read"), ("prune", "delete read")])
def test_the_roles_of_azure_hold_the_verbs_of_their_task(task: str, verbs: str) -> None:
    (role,) = [block for block in BLOCKS if block.get("Name") == f"Consul backups: {task}"]
    plain = {re.split(r"/blobs/", action)[1].split("/")[0] for action in role["DataActions"]}

    assert plain - {"immutableStorage", "deleteBlobVersion"} == set(verbs.split())


def test_the_page_lists_every_setting_for_the_stores_that_it_is_for() -> None:
    heads = ["s3", "gs", "az"]
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 5]
    told: dict[str, set[str]] = {}
    for first, *cells in rows:
        for scheme, cell in zip(heads, cells):
            names = re.findall(r"`(\w+)`", first + cell) if cell.strip() else []
            names = re.findall(r"`(\w+)`", first) if cell.strip() == "the same" else names
            for name in names:
                told.setdefault(name, set()).add(scheme)
    # Those that the network needs are named in the first of the three columns alone.
    everywhere = {"ca_path", "validate_certs", "timeout", "retries"}
    expected = {
        name: {scheme for scheme in heads if name in FITTING[scheme]} for name in STORE_OPTIONS["store"]["options"]
    }
    assert {name: told.get(name, set()) for name in expected if name not in everywhere} == {
        name: schemes for name, schemes in expected.items() if name not in everywhere
    }
    assert all(f"`{name}`" in PAGE for name in everywhere)
