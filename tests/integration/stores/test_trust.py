# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests that lie, and archives that somebody planted: guards look at the records, and signatures tell whose it is.

Each forgery is tried twice: where only we can write a manifest stands in for the records, and would mislead; that is
what shows that it lies. In a bucket, and in a directory that others can write to, it does not.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import keys
from support.calls import Calls
from support.faults import FaultServer
from support.keys import Key
from support.records import with_changed
from support.scene import RESTORE

from lab import Cluster, binaries

from .conftest import MANIFEST, SIGNATURE, Bucket, Keys, Saved, SavedOf

Start = Callable[..., Cluster]
TOKEN = 17
OTHERS = [
    *("unhealthy_target", "replace_content", "other_datacenter", "other_version", "critical_findings"),
    *("active_peering", "token_loss", "node_conflict"),
]
"""Every risk but that of an archive that nobody vouches for."""


def manifest_of(saved: Saved) -> dict[str, Any]:
    return dict(json.loads(saved.path.with_name(saved.path.name + MANIFEST).read_text(encoding="utf-8")))


class Forgery:
    """An archive with a manifest that lies, wherever it is put."""

    def __init__(self, data: bytes, manifest: dict[str, Any]) -> None:
        digest = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        self.data = data
        self.manifest = {**manifest, "archive": {**manifest["archive"], **digest}}

    @property
    def text(self) -> bytes:
        return json.dumps(self.manifest).encode()

    def in_bucket(self, bucket: Bucket) -> dict[str, Any]:
        bucket.put(f"forged.snap{MANIFEST}", self.text)
        return {"src": bucket.put("forged.snap", self.data), "store": bucket.store}

    def in_directory(self, directory: Path, mode: int) -> dict[str, Any]:
        directory.mkdir()
        for name, data in (("forged.snap", self.data), (f"forged.snap{MANIFEST}", self.text)):
            (directory / name).write_bytes(data)
            (directory / name).chmod(0o644)
        directory.chmod(mode)
        return {"src": str(directory / "forged.snap")}


def refused(calls: Calls, target: Cluster, **told: Any) -> list[str]:
    """Return the guards that refuse, in check mode and in earnest; nothing was sent."""
    with FaultServer(target.servers[0].address("http")) as server:  # counts, and passes everything on
        found = [
            calls.fails(target, "snapshot_restore", "guard", check=check, port=server.port, **told)["failure"][
                "refused"
            ]
            for check in (True, False)
        ]
        assert server.count(*RESTORE) == 0
    assert found[0] == found[1]
    return list(found[0])


def check_misleads_only_where_we_alone_can_write(
    forgery: Forgery, guard: str, target: Cluster, calls: Calls, bucket: Bucket, tmp_path: Path
) -> None:
    told = {"accept_risks": OTHERS, "backup_dir": str(tmp_path / "replaced")}
    misled = calls.ok(target, "snapshot_restore", check=True, **told, **forgery.in_directory(tmp_path / "ours", 0o755))
    assert {one["name"]: one["status"] for one in misled["guards"]}[guard] == "passed"
    assert guard in refused(calls, target, **told, **forgery.in_directory(tmp_path / "shared", 0o777))
    assert guard in refused(calls, target, **told, **forgery.in_bucket(bucket))


def test_a_manifest_that_leaves_out_types(
    saved_of: SavedOf, shared_cluster: Start, bucket: Bucket, calls: Calls, tmp_path: Path
) -> None:
    saved, target = saved_of(binaries.NEW), shared_cluster(version=binaries.OLD, name_prefix="misled")
    manifest = manifest_of(saved)
    manifest["records"] = {"KVS": manifest["records"]["KVS"]}
    manifest["config_kinds"] = []
    manifest["cluster"]["consul_version"] = "1.8.7"
    forgery = Forgery(saved.data, manifest)
    check_misleads_only_where_we_alone_can_write(forgery, "record_types", target, calls, bucket, tmp_path)


def without_accessor(archive: bytes) -> bytes:
    """Change one token so that servers of 1.22.7 crash."""
    done: list[bool] = []

    def first(record: dict[bytes, Any]) -> dict[bytes, Any] | None:
        if done or not record[b"Description"].startswith(b"lab token"):
            return None
        done.append(True)
        return {**record, b"AccessorID": b""}

    return with_changed(archive, TOKEN, first)


def test_a_manifest_that_leaves_out_findings(
    saved_of: SavedOf, shared_cluster: Start, bucket: Bucket, calls: Calls, tmp_path: Path
) -> None:
    saved, target = saved_of(binaries.NEW), shared_cluster(version=binaries.NEW, name_prefix="misled")
    forgery = Forgery(without_accessor(saved.data), manifest_of(saved))
    check_misleads_only_where_we_alone_can_write(forgery, "findings", target, calls, bucket, tmp_path)


def test_a_manifest_with_another_clusters_fingerprint(
    saved_of: SavedOf, start: Start, bucket: Bucket, calls: Calls, tmp_path: Path
) -> None:
    saved, target = saved_of(binaries.NEW), start(binaries.NEW)
    target.http("PUT", "/v1/kv/precious", data=b"x", check=True)
    (tmp_path / "own").mkdir()
    own = calls.ok(target, "snapshot_save", dest=f"{tmp_path}/own/")
    of_target = json.loads(Path(own["manifest"]).read_text(encoding="utf-8"))
    forgery = Forgery(saved.data, {**manifest_of(saved), "fingerprint": of_target["fingerprint"]})

    misled = calls.ok(target, "snapshot_restore", **forgery.in_directory(tmp_path / "ours", 0o755))
    assert (misled["changed"], misled["reason"]) == (False, "the cluster already holds the archive's content")
    for told in (forgery.in_directory(tmp_path / "shared", 0o777), forgery.in_bucket(bucket)):
        assert "fresh" in refused(calls, target, **told)
    # It is compared with what the archive holds, and so is a diff.
    told = {"before": own["dest"], "after": bucket.url("forged.snap"), "store": bucket.store}
    compared = calls.ok(target, "snapshot_diff", **told)
    assert (compared["equal"], compared["quick"]) == (False, False)
    assert "precious" in compared["types"]["KVS"]["names"]["removed"]
    ours = calls.ok(target, "snapshot_diff", before=own["dest"], after=str(tmp_path / "ours" / "forged.snap"))
    assert (ours["equal"], ours["quick"]) == (True, True)


def signed_by(bucket: Bucket, saved: Saved, key: Key | None, *, text: bytes | None = None, namespace: str = "") -> str:
    """Put an archive into a bucket whose manifest a key signed; return its URL. ``text``: the manifest in the end."""
    url = bucket.take(saved.path)
    manifest = bucket.get(saved.path.name + MANIFEST)
    if key is not None:
        bucket.put(saved.path.name + SIGNATURE, keys.signed(manifest, key, namespace or "consul-snapshot"))
    if text is not None:
        bucket.put(saved.path.name + MANIFEST, text)
    return url


def test_a_signed_archive_passes_and_its_manifest_stands_in_for_its_records(
    saved_of: SavedOf, start: Start, keyring: Keys, bucket: Bucket, calls: Calls
) -> None:
    saved, target = saved_of(binaries.NEW), start(binaries.NEW)
    told = {"store": bucket.store, "allowed_signers": str(keyring.signers)}
    url = signed_by(bucket, saved, keyring.signing)
    info = calls.ok(None, "snapshot_info", path=url, **told)
    assert (info["signed"], info["signed_by"], info["signature_fault"]) == (True, "ops@example.com", None)
    compared = calls.ok(target, "snapshot_diff", before=url, after=url, **told)
    assert (compared["equal"], compared["quick"], compared["after"]["signed_by"]) == (True, True, "ops@example.com")
    done = calls.ok(target, "snapshot_restore", src=url, **told)
    guard = next(one for one in done["guards"] if one["name"] == "signature")
    assert (guard["status"], done["signed_by"]) == ("passed", "ops@example.com")
    assert "ops@example.com" in guard["detail"]
    assert done["proof"]["equal"] is True


def test_a_planted_archive_is_refused(
    saved_of: SavedOf, start: Start, keyring: Keys, bucket: Bucket, calls: Calls, tmp_path: Path
) -> None:
    """It is good, of another cluster, and has a management token that the one who planted it knows."""
    planted, target = saved_of(binaries.NEW, home="theirs"), start(binaries.NEW)
    target.http("PUT", "/v1/kv/precious", data=b"x", check=True)
    stranger = {"X-Consul-Token": planted.source.tokens.initial_management}
    url = bucket.take(planted.path)
    told = {
        "src": url,
        "store": bucket.store,
        "allowed_signers": str(keyring.signers),
        "accept_risks": OTHERS,
        "backup_dir": str(tmp_path / "replaced"),
    }
    assert refused(calls, target, **told) == ["signature"]
    assert not (tmp_path / "replaced").exists()
    assert target.http("GET", "/v1/kv/precious?raw").text == "x"
    # So it is where the stranger signs it.
    signed_by(bucket, planted, keyring.stranger)
    assert refused(calls, target, **told) == ["signature"]
    # The harm, once somebody accepts it by name: whoever planted the archive is the cluster's master now.
    done = calls.run(
        target, "snapshot_restore", **{**told, "accept_risks": [*OTHERS, "unsigned_archive"]}, wait_timeout=20
    )
    assert done.result["changed"] is True
    answer = target.http("GET", "/v1/acl/tokens", headers=stranger)
    assert answer.status_code == 200


def test_a_pair_that_was_swapped_is_refused(
    saved_of: SavedOf, shared_cluster: Start, keyring: Keys, bucket: Bucket, calls: Calls
) -> None:
    older, newer = saved_of(binaries.NEW), saved_of(binaries.NEW, home="theirs")
    target = shared_cluster(version=binaries.NEW, name_prefix="misled")
    first, second = (signed_by(bucket, saved, keyring.signing) for saved in (older, newer))
    told = {"store": bucket.store, "allowed_signers": str(keyring.signers), "accept_risks": OTHERS}
    # The archive of one with the manifest and the signature of the other, both of which are genuine.
    bucket.put(older.path.name, newer.data)
    result = calls.fails(target, "snapshot_restore", "guard", src=first, **told)
    assert result["failure"]["refused"] == ["signature"]
    assert "names another archive" in result["msg"]
    info = calls.ok(None, "snapshot_info", path=first, store=bucket.store, allowed_signers=str(keyring.signers))
    assert (info["manifest"]["status"], info["signed_by"]) == ("stale", None)
    assert "names another archive" in info["signature_fault"]
    assert calls.ok(None, "snapshot_info", path=second, store=bucket.store)["manifest"]["status"] == "matches"
    # The manifest of one beside the signature of the other.
    bucket.put(older.path.name, older.data)
    bucket.put(older.path.name + SIGNATURE, bucket.get(newer.path.name + SIGNATURE))
    assert refused(calls, target, src=first, **told) == ["signature"]


def test_signatures_that_do_not_count(
    saved_of: SavedOf, shared_cluster: Start, keyring: Keys, bucket: Bucket, calls: Calls, tmp_path: Path
) -> None:
    saved, target = saved_of(binaries.NEW), shared_cluster(version=binaries.NEW, name_prefix="misled")
    told = {"store": bucket.store, "accept_risks": OTHERS}

    def reason(url: str, signers: Path, **more: Any) -> str:
        options = {**told, "allowed_signers": str(signers), **more}
        result = calls.fails(target, "snapshot_restore", "guard", src=url, **options)
        assert result["failure"]["refused"] == ["signature"]
        info = calls.ok(None, "snapshot_info", path=url, store=bucket.store, allowed_signers=str(signers), **more)
        assert info["signature_fault"] in result["msg"]
        return str(info["signature_fault"])

    assert "is not signed" in reason(bucket.take(saved.path), keyring.signers)
    assert "does not list" in reason(signed_by(bucket, saved, keyring.stranger), keyring.signers)
    assert "other than" in reason(signed_by(bucket, saved, keyring.signing, namespace="file"), keyring.signers)
    text = saved.path.with_name(saved.path.name + MANIFEST).read_bytes()
    changed = signed_by(bucket, saved, keyring.signing, text=text.rstrip() + b" \n")
    assert "changed after it was signed" in reason(changed, keyring.signers)

    good = signed_by(bucket, saved, keyring.signing, text=text)
    earlier = time.strftime("%Y%m%d", time.gmtime(time.time() - 3 * 86400))
    expired = keys.allowed_signers(tmp_path / "expired", (f'ops valid-before="{earlier}"', keyring.signing))
    assert "expired" in reason(good, expired)
    revoked = tmp_path / "revoked"
    revoked.write_text(f"{keyring.signing.public}\n", encoding="utf-8")
    assert "revoked" in reason(good, keyring.signers, revoked_signers=str(revoked))
    bucket.remove(saved.path.name + MANIFEST)
    assert "no manifest" in reason(good, keyring.signers)


def test_a_rehearsal_asks_for_the_signature_too(saved_of: SavedOf, keyring: Keys, bucket: Bucket, calls: Calls) -> None:
    saved = saved_of(binaries.NEW)
    told = {"consul_binary": str(binaries.consul(binaries.NEW)), "store": bucket.store}
    told["allowed_signers"] = str(keyring.signers)
    url = bucket.take(saved.path)
    outcome = calls.run(None, "snapshot_rehearse", src=url, **told)
    assert (outcome.failure["kind"], outcome.result["verdict"]) == ("rehearsal", "refused")
    assert "is not signed" in outcome.result["msg"]
    signed_by(bucket, saved, keyring.signing)
    result = calls.ok(None, "snapshot_rehearse", src=url, **told)
    assert (result["verdict"], result["signed_by"]) == ("proven", "ops@example.com")


def test_a_sealed_archive_is_signed_as_it_is_stored(
    saved_of: SavedOf, start: Start, keyring: Keys, bucket: Bucket, calls: Calls
) -> None:
    saved = saved_of(binaries.NEW, **keyring.sealing, signing_key=str(keyring.signing.path))
    target = start(binaries.NEW)
    told = {"store": bucket.store, "allowed_signers": str(keyring.signers), "identity_file": str(keyring.age.path)}
    url = bucket.take(saved.path)
    result = calls.ok(target, "snapshot_restore", src=url, **told)
    assert (result["sealed"], result["signed_by"], result["proof"]["equal"]) == (True, "ops@example.com", True)
    # The same plain archive, sealed by somebody else, is not what was signed.
    plain = keys.age_decrypt(saved.data, keyring.age)
    assert plain is not None
    bucket.put(saved.path.name, keys.age_encrypt(plain, keyring.age.public))
    info = calls.ok(None, "snapshot_info", path=url, **told)
    assert (info["manifest"]["status"], info["signed_by"]) == ("stale", None)
