# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Second act: sealed backups in a bucket outlive the machine, and an archive that a stranger planted is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from lab import Cluster, LabError, compare
from lab.oracle import Observation

from .stage import Stage
from .store import Bucket, Keys

WHO = "sre"
STRANGER = "stranger"
PREFIX = "clusters/"
MANIFEST, SIGNATURE = ".manifest.json", ".manifest.json.sig"
GUARD = "signature"
KEY_OF_THE_STRANGER = "demo/planted"


class OffSite(NamedTuple):
    """The cluster that came back from the bucket, and what is in it."""

    cluster: Cluster
    after: Observation


class Planted(NamedTuple):
    """An archive that a stranger put into the bucket, and the management token that it would bring along."""

    name: str
    token: str


def play(
    stage: Stage, old: Cluster, cluster_name: str, before: Observation, variables: Mapping[str, object]
) -> OffSite:
    """Tell the act; the cluster that it ends with runs on."""
    bucket = stage.bucket("consul-backups")
    keys = Keys.make(stage.places.secrets, WHO)
    reach = {**variables, **_variables(bucket, keys)}
    stage.describe(old, cluster_name, reach)
    stage.play("backup", old, "changed", name="backup off site")
    archive = _require_sealed(stage, bucket, keys, old)
    stage.play("backup", old, "unchanged", again=True, name="and again")
    _require_confirmed(bucket, archive)
    planted = _plant(stage, bucket, old, archive, keys)

    title = "The fire: SIGKILL to all three, their data deleted, and all archives on this machine"
    stage.disaster(old, "fire", title, archives_of=cluster_name)
    title = "Three new servers on another machine, say: they have the bucket and the keys"
    new = stage.three_servers("recovered", "start elsewhere", title, cluster_name=cluster_name, variables=reach)
    _refuse(stage, bucket, new, planted)
    stage.restore(new, f"s3://{bucket.name}/{PREFIX}newest", name="restore sealed")
    after = stage.look(new, "look there", "Look at everything there")
    rows = [row for row in compare(before, after) if row.durable]
    if wrong := [row.type for row in rows if not row.equal]:
        raise LabError(f"what came back from the bucket is not the same: {', '.join(wrong)}")
    stage.screen.text(f"Back from the bucket: {sum(row.after for row in rows)} durable things, each of them the same.")
    return OffSite(new, after)


def _variables(bucket: Bucket, keys: Keys) -> dict[str, object]:
    return {
        "backup_dir": f"s3://{bucket.name}/{PREFIX}",
        "backup_store": bucket.options,
        "backup_encrypt_to": list(keys.recipients),
        "backup_signing_key": str(keys.signs),
        "restore_identity_file": str(keys.opens),
        "restore_allowed_signers": str(keys.signers),
        "rehearsal_identity_file": str(keys.opens),
        "rehearsal_allowed_signers": str(keys.signers),
    }


def _require_sealed(stage: Stage, bucket: Bucket, keys: Keys, cluster: Cluster) -> str:
    """Look at what a backup left, with boto3, age, ssh-keygen and the consul command; return the archive's name."""
    names = bucket.names()
    found = [name for name in names if name.endswith(".age")]
    if len(found) != 1 or set(names) != {found[0] + ending for ending in ("", MANIFEST, SIGNATURE)}:
        raise LabError(f"the bucket has to hold one sealed archive, its manifest and a signature, and holds {names}")
    archive = found[0]
    sealed, manifest = bucket.read(archive), bucket.read(archive + MANIFEST)
    keys.require_signed(manifest, bucket.read(archive + SIGNATURE), WHO)
    if json.loads(manifest)["sealed"]["sha256"] != hashlib.sha256(sealed).hexdigest():
        raise LabError("the signed manifest does not name the archive next to it")
    opened = stage.places.tmp / "opened.snap"
    opened.write_bytes(keys.unseal(sealed))
    cluster.cli("snapshot", "inspect", opened)
    opened.unlink()
    stage.screen.text("Seen by boto3: one archive, its manifest and the signature, which ssh-keygen accepts.")
    stage.screen.text("age opens the archive with the key alone, and the consul command reads what is in it.")
    return archive


def _require_confirmed(bucket: Bucket, archive: str) -> None:
    """The second backup has to have left a confirmation, and nothing else."""
    known = {archive + ending for ending in ("", MANIFEST, SIGNATURE)}
    more = [name for name in bucket.names() if name not in known]
    if len(more) != 1 or not more[0].startswith(f"{archive}.confirmed-"):
        raise LabError(f"the second backup has to leave a confirmation alone, and left {more}")


def _plant(stage: Stage, bucket: Bucket, cluster: Cluster, archive: str, keys: Keys) -> Planted:
    """Be a stranger who may write to the bucket, and bring a token: the archive is good, and newer than all others."""
    with stage.steps.step("a stranger", "Somebody plants an archive in the bucket: good, newer, with a token") as step:
        description: dict[str, Any] = json.loads(bucket.read(archive + MANIFEST))
        token = cluster.put("/v1/acl/token", {"Policies": [{"Name": "global-management"}]})
        cluster.http("PUT", f"/v1/kv/{KEY_OF_THE_STRANGER}", data=b"mine", check=True)
        taken = stage.places.tmp / "planted.snap"
        cluster.cli("snapshot", "save", taken)
        cluster.http("DELETE", f"/v1/kv/{KEY_OF_THE_STRANGER}", check=True)
        cluster.http("DELETE", f"/v1/acl/token/{token['AccessorID']}", check=True)
        plain = taken.read_bytes()
        taken.unlink()
        sealed = keys.seal(plain)
        name = archive.replace(".snap", "0.snap")
        description["archive"] = {"file": name.rpartition("/")[2], **_digest(plain)}
        description["sealed"] = {"format": "age", **_digest(sealed)}
        manifest = json.dumps(description).encode()
        stranger = Keys.make(stage.places.secrets, STRANGER)
        bucket.write(name, sealed)
        bucket.write(name + SIGNATURE, stranger.sign(manifest))
        bucket.write(name + MANIFEST, manifest)
        step.say("Recipients are public, so age seals it for everybody; the manifest is signed by the stranger.")
    return Planted(name, token["SecretID"])


def _refuse(stage: Stage, bucket: Bucket, cluster: Cluster, planted: Planted) -> None:
    """The planted archive must not get into the new servers, which hold nothing that speaks against it."""
    src = f"s3://{bucket.name}/{planted.name}"
    played = stage.play("restore", cluster, "refused", name="the planted one", restore_src=src)
    if not any(GUARD in line for message in played.said for line in message.lines):
        raise LabError("the planted archive was refused, but not for its signature")
    if cluster.http("GET", "/v1/acl/token/self", token=planted.token).status_code != 403:
        raise LabError("the token of the planted archive is valid, and nothing must have been restored")
    stage.screen.text("Seen by HTTP: the token of the stranger is not known to the new servers.")
    for ending in ("", SIGNATURE, MANIFEST):
        bucket.remove(planted.name + ending)


def _digest(data: bytes) -> dict[str, object]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
