# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/execution-environments.md: ansible-builder reads the definition; credential types are filled in as by AWX."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from jinja2.sandbox import SandboxedEnvironment
from support import keys, pages, stores
from support.buckets import Bucket
from support.playbooks import Ansible

from env import places
from lab import Cluster
from lab.statefile import write_private

PAGE = places.CHECKOUT / "docs" / "execution-environments.md"


@pytest.fixture(scope="module")
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    return shared_cluster(name_prefix="awx")


class Injected(NamedTuple):
    """What a job gets of its credentials."""

    env: dict[str, str]
    extra_vars: dict[str, str]


def fill_in(inputs: Mapping[str, Any], injectors: Mapping[str, Any], values: Mapping[str, str], home: Path) -> Injected:
    """Do what AWX does with a credential: files for the job alone, then variables that may name them."""
    fields = [field["id"] for field in inputs["fields"]]
    assert set(values) == set(fields)
    assert set(inputs["required"]) <= set(fields)
    jinja = SandboxedEnvironment()
    names: Any = {}
    home.mkdir()
    for key, template in injectors.get("file", {}).items():
        label = key.partition("template")[2].lstrip(".")
        path = home / (label or "file")
        # AWX adds no line break, and Jinja takes the last one away.
        write_private(path, jinja.from_string(template).render(**values))
        names = {**names, label: str(path)} if label else str(path)
    context = {**values, "tower": {"filename": names}}
    env, extra_vars = (
        {name: jinja.from_string(template).render(**context) for name, template in injectors.get(kind, {}).items()}
        for kind in ("env", "extra_vars")
    )
    return Injected(env, extra_vars)


def test_the_definition_makes_a_build_context(tmp_path: Path) -> None:
    definition = pages.blocks(pages.section(PAGE, "An execution environment"))[0]
    (tmp_path / "execution-environment.yml").write_text(definition.text, encoding="utf-8")
    (tmp_path / "consul").write_text("#!/bin/sh\n", encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ansible-builder")), "create", "-v1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    built = tmp_path / "context" / "_build"
    assert (built / "requirements.txt").read_text(encoding="utf-8").split() == ["boto3>=1.26", "pyrage>=1.3"]
    collections = yaml.safe_load((built / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert collections == [f"{places.NAMESPACE}.{places.NAME}"]
    assert (built / "bin" / "consul").exists()
    (containerfile,) = (path for path in (tmp_path / "context").iterdir() if path.is_file())
    steps = containerfile.read_text(encoding="utf-8").splitlines()
    assert "COPY _build/bin/consul /usr/local/bin/consul" in steps


@pytest.mark.nightly
def test_jobs_with_the_pages_credential_types(tmp_path: Path, cluster: Cluster) -> None:
    found = [yaml.safe_load(block.text) for block in pages.blocks(pages.section(PAGE, "Credentials in AWX"))]
    token_inputs, token_injectors, store_inputs, store_injectors = found
    token = cluster.tokens.initial_management
    own, signing = keys.age_key(tmp_path / "key.txt"), keys.ssh_key(tmp_path / "signing_key")
    signers = keys.allowed_signers(tmp_path / "signers", ("backup@example", signing))
    # As they come out of a form: without a line break at the end.
    multiline = {"identity": own.path, "signing_key": signing.path, "allowed_signers": signers}
    cluster.http("PUT", "/v1/kv/awx", data=b"kept", check=True)
    with stores.running("versitygw", tmp_path / "store") as server:
        bucket = Bucket(server, server.bucket())
        values = {name: path.read_text(encoding="utf-8").rstrip("\n") for name, path in multiline.items()}
        values.update(access_key=server.access_key, secret_key=server.secret_key)
        job = fill_in(token_inputs, token_injectors, {"token": token}, tmp_path / "token")
        keyring = fill_in(store_inputs, store_injectors, values, tmp_path / "keyring")
        ansible = Ansible(tmp_path, [token, server.secret_key, values["signing_key"].splitlines()[2]], timeout=400)
        options = {name: value for name, value in server.options().items() if not name.endswith("_key")}
        inventory = ansible.inventory(
            {"through-the-api": {}},
            backup_connection={"host": "127.0.0.1", "port": cluster.servers[0].http_port},
            backup_cluster="awx",
            backup_dir=bucket.url,
            backup_store=options,
            backup_encrypt_to=[own.public],
            restore_backup_dir=bucket.url,
        )
        env = {**keys.with_programs(), **job.env, **keyring.env}

        ansible.ok("backup", inventory, env=env, **keyring.extra_vars)
        name, body = bucket.archive()
        assert keys.age_decrypt(body, own) is not None
        manifest, signature = (bucket.objects()[f"{name}.manifest.json{end}"] for end in ("", ".sig"))
        (tmp_path / "sig").write_bytes(signature)
        assert keys.is_signed_by(manifest, tmp_path / "sig", signers, "backup@example")

        # A job that restores opens it and checks who signed it; without the key it can't.
        restored = ansible.ok("restore", inventory, env=env, restore_src=f"{bucket.url}newest", **keyring.extra_vars)
        assert not restored.changed, restored.output
        assert restored.says("backup@example") or restored.says("already holds")
        without = {key: path for key, path in keyring.extra_vars.items() if key != "restore_identity_file"}
        ansible.fails("restore", inventory, "identity_file", env=env, restore_src=f"{bucket.url}newest", **without)
