# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives that snapshot_copy passes from store to store, judged by the stores' clients, age, ssh-keygen and Consul."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support import documented, keys
from support.calls import Calls

from lab import binaries

ServerOf = Callable[..., Any]
SavedOf = Callable[..., Any]
NAMED = {"cluster": "production"}


def copied(calls: Calls, **options: Any) -> dict[str, Any]:
    """Copy; the result is as documented."""
    result = calls.ok(None, "snapshot_copy", **options)
    assert documented.faults_of("snapshot_copy", result) == []
    return result


def beside(data: dict[str, bytes], prefix: str = "") -> dict[str, bytes]:
    """Return what is below a prefix, by the names there."""
    return {name[len(prefix) :]: content for name, content in data.items() if name.startswith(prefix)}


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def inspected(data: bytes, directory: Path) -> dict[str, Any]:
    """Return what Consul itself says of an archive."""
    path = directory / "inspected.snap"
    path.write_bytes(data)
    command = [str(binaries.consul(binaries.NEW)), "snapshot", "inspect", "-format=json", str(path)]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))


def test_an_archive_goes_round_through_all_kinds_of_stores(
    server: ServerOf, saved_of: SavedOf, calls: Calls, tmp_path: Path
) -> None:
    saved = saved_of(**NAMED)
    original = files_of(saved.path.parent)
    servers = [server(name) for name in ("versitygw", "azurite", "fake-gcs-server", "seaweedfs")]
    stops = [(one, one.bucket()) for one in servers]
    home = tmp_path / "home"
    src, store = f"{saved.path.parent}/", None
    for one, bucket in stops:
        url, own = one.url(bucket, "consul/"), one.options()
        result = copied(calls, src=src, dest=url, store=store, dest_store=own)
        (row,) = result["copied"]
        assert (result["changed"], row["dest"], row["verified"]) == (True, f"{url}{saved.path.name}", "records")
        assert beside(one.objects(bucket), "consul/") == original

        again = copied(calls, src=src, dest=url, store=store, dest_store=own)
        assert (again["changed"], again["copied"], len(again["present"])) == (False, [], 1)
        src, store = url, own
    copied(calls, src=src, dest=f"{home}/", store=store, create_directory=True)

    assert files_of(home) == original
    assert inspected((home / saved.path.name).read_bytes(), tmp_path)["Meta"]["Index"] == saved.result["index"]


def test_a_copy_is_sealed_and_signed_on_the_way_and_sealed_for_other_keys_later(
    server: ServerOf, saved_of: SavedOf, calls: Calls, keyring: Any, tmp_path: Path
) -> None:
    saved, store = saved_of(**NAMED), server("versitygw")
    first, second, third = store.bucket(), store.bucket(), store.bucket()
    options: dict[str, Any] = {"store": store.options(), "dest_store": store.options()}
    name = f"{saved.path.name}.age"
    manifest, signature = f"{name}.manifest.json", f"{name}.manifest.json.sig"
    who = "ops@example.com"

    result = copied(
        calls,
        src=str(saved.path),
        dest=store.url(first),
        dest_store=store.options(),
        encrypt_to=[keyring.age.public],
        signing_key=str(keyring.signing.path),
    )
    (row,) = result["copied"]
    there = store.objects(first)
    assert there.keys() == {name, manifest, signature}
    assert (row["sealed"], row["signed"], row["sha256"]) == (True, True, sha256(saved.data))
    assert keys.age_decrypt(there[name], keyring.age) == saved.data
    told = json.loads(there[manifest])
    assert (told["archive"]["sha256"], told["sealed"]["sha256"]) == (sha256(saved.data), sha256(there[name]))
    (tmp_path / "sig").write_bytes(there[signature])
    assert keys.is_signed_by(there[manifest], tmp_path / "sig", keyring.signers, who)
    # A single key is a risk that somebody is told of.
    assert result["warnings"]

    # A copy of it needs no key, only somebody who vouches for it.
    url = store.url(first, name)
    result = copied(calls, src=url, dest=store.url(second), allowed_signers=str(keyring.signers), **options)
    assert [(row["verified"], row["signed"]) for row in result["copied"]] == [("checksum", True)]
    assert store.objects(second) == there

    # Rotation: whoever has the old key seals it for the new one.
    rotated = copied(
        calls,
        src=store.url(second),
        dest=store.url(third),
        identity_file=str(keyring.age.path),
        allowed_signers=str(keyring.signers),
        encrypt_to=[keyring.other.public],
        signing_key=str(keyring.signing.path),
        **options,
    )
    assert [row["verified"] for row in rotated["copied"]] == ["records"]
    last = store.objects(third)
    assert keys.age_decrypt(last[name], keyring.age) is None
    assert keys.age_decrypt(last[name], keyring.other) == saved.data
    (tmp_path / "sig").write_bytes(last[signature])
    assert keys.is_signed_by(last[manifest], tmp_path / "sig", keyring.signers, who)
    again = copied(
        calls,
        src=store.url(second),
        dest=store.url(third),
        encrypt_to=[keyring.other.public],
        identity_file=str(keyring.age.path),
        **options,
    )
    assert again["copied"] == []


@pytest.mark.parametrize("harm", ["flipped", "cut"])
def test_what_was_damaged_in_a_bucket_is_not_copied(
    server: ServerOf, saved_of: SavedOf, calls: Calls, tmp_path: Path, harm: str
) -> None:
    saved, store = saved_of(**NAMED), server("versitygw")
    bucket, other = store.bucket(), store.bucket()
    data = bytearray(saved.data)
    data[len(data) // 2] ^= 1
    body = bytes(data) if harm == "flipped" else saved.data[:-30]
    store.client().put_object(Bucket=bucket, Key=saved.path.name, Body=body)
    for dest, options in ((f"{tmp_path}/", None), (store.url(other), store.options())):
        src = store.url(bucket, saved.path.name)
        result = calls.fails(
            None, "snapshot_copy", "archive", src=src, dest=dest, store=store.options(), dest_store=options
        )
        assert documented.faults_of("snapshot_copy", result) == []
        assert [row["src"] for row in result["not_copied"]] == [src]
    assert list(tmp_path.iterdir()) == []
    assert (store.objects(other), store.uploads(other)) == ({}, [])


def test_a_planted_archive_is_not_copied(
    server: ServerOf, saved_of: SavedOf, calls: Calls, keyring: Any, tmp_path: Path
) -> None:
    saved, store = saved_of(**NAMED), server("versitygw")
    bucket = store.bucket()
    client = store.client()
    text = saved.path.with_name(f"{saved.path.name}.manifest.json").read_bytes()
    objects = {
        saved.path.name: saved.data,
        f"{saved.path.name}.manifest.json": text,
        f"{saved.path.name}.manifest.json.sig": keys.signed(text, keyring.stranger),
    }
    for name, body in objects.items():
        client.put_object(Bucket=bucket, Key=name, Body=body)
    told = {"src": store.url(bucket), "dest": f"{tmp_path}/", "store": store.options()}
    result = calls.fails(None, "snapshot_copy", "signature", allowed_signers=str(keyring.signers), **told)

    assert "is not copied" in result["msg"]
    assert list(tmp_path.iterdir()) == []


def test_a_forged_manifest_does_not_become_one_that_is_trusted(
    server: ServerOf, saved_of: SavedOf, calls: Calls, tmp_path: Path
) -> None:
    saved, store = saved_of(**NAMED), server("versitygw")
    bucket = store.bucket()
    name = saved.path.name
    forged = json.loads(saved.path.with_name(f"{name}.manifest.json").read_bytes())
    true = dict(forged)
    forged.update(records={"KVS": forged["records"]["KVS"]}, user_records={"KVS": 1}, findings=[], peerings=[])
    store.client().put_object(Bucket=bucket, Key=name, Body=saved.data)
    store.client().put_object(Bucket=bucket, Key=f"{name}.manifest.json", Body=json.dumps(forged).encode())
    result = copied(calls, src=store.url(bucket), dest=f"{tmp_path}/", store=store.options())

    told = json.loads((tmp_path / f"{name}.manifest.json").read_bytes())
    assert (told["records"], told["user_records"]) == (true["records"], true["user_records"])
    assert "its manifest is wrong about" in json.dumps(result["warnings"])


def test_copies_are_locked_and_a_confirmation_that_follows_extends_the_lock(
    server: ServerOf, saved_of: SavedOf, calls: Calls, tmp_path: Path
) -> None:
    saved, store = saved_of(**NAMED), server("versitygw")
    bucket = store.bucket(object_lock=True)
    path = saved.copy_to(tmp_path)

    def copy(days: int) -> dict[str, Any]:
        lock = store.options(object_lock={"mode": "COMPLIANCE", "days": days})
        return copied(calls, src=str(path), dest=store.url(bucket), dest_store=lock)

    def locked() -> dict[str, float]:
        client = store.client()
        names = [name for name in store.objects(bucket) if ".confirmed-" not in name]
        told = {name: client.get_object_retention(Bucket=bucket, Key=name)["Retention"] for name in names}
        return {name: (one["RetainUntilDate"].timestamp() - time.time()) / 86400 for name, one in told.items()}

    assert copy(2)["changed"]
    assert locked().keys() == {path.name, f"{path.name}.manifest.json"}
    assert all(1.9 < days < 2.1 for days in locked().values())

    # The cluster still holds this content later, which the next save notes beside the archive.
    manifest = json.loads((tmp_path / f"{path.name}.manifest.json").read_bytes())
    now = datetime.now(UTC).replace(microsecond=0)
    confirmation = {
        "schema": "disaster_recovery.consul/confirmation",
        "version": 1,
        "archive": {"sha256": manifest["archive"]["sha256"]},
        "confirmed_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cluster": manifest["cluster"],
    }
    noted = tmp_path / f"{path.name}.confirmed-{now:%Y%m%dT%H%M%SZ}"
    noted.write_text(json.dumps(confirmation), encoding="utf-8")
    result = copy(5)
    assert (result["changed"], len(result["present"])) == (False, 1)
    assert noted.name in store.objects(bucket)
    assert all(4.9 < days < 5.1 for days in locked().values())


def test_a_store_that_does_not_accept_the_credentials_is_told_from_the_other(
    server: ServerOf, saved_of: SavedOf, calls: Calls
) -> None:
    saved, store = saved_of(**NAMED), server("versitygw")
    wrong = store.options(secret_key="a-wrong-secret-0123456789")
    outcome = calls.run(None, "snapshot_copy", src=str(saved.path), dest=store.url(store.bucket()), dest_store=wrong)

    assert outcome.failure["kind"] == "store_credentials"
    assert "a-wrong-secret" not in outcome.stdout


def test_check_mode_says_what_would_be_copied(server: ServerOf, saved_of: SavedOf, calls: Calls) -> None:
    saved, store = saved_of(**NAMED), server("versitygw")
    bucket = store.bucket()
    told = {"src": f"{saved.path.parent}/", "dest": store.url(bucket), "dest_store": store.options()}
    result = copied(calls, check=True, **told)

    assert result["changed"] is True
    assert [row["dest"] for row in result["copied"]] == [store.url(bucket, saved.path.name)]
    assert store.objects(bucket) == {}
