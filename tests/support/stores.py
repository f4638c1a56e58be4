# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real object stores on loopback, each a process of its own with buckets that are fresh for each test.

``with VersityGw(directory) as store:`` starts one; ``store.bucket()`` is a new bucket's name, ``store.url(bucket)``
the URL that users write, ``store.options()`` the option ``store`` for it. ``store.client()`` is the SDK's own
client, straight, for looking at what our code did. Leaving the block stops the server, by its pid.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trustme

from lab import binaries
from lab.ports import LOOPBACK, free_port
from support.store_server import PATIENCE, StoreServer


class S3Server(StoreServer):
    """A server that speaks S3."""

    scheme = "s3"
    region = "us-east-1"
    access_key = "AKIDofthetests"
    secret_key = "secret-of-the-tests-0123456789"
    ca_path: Path | None = None

    def client(self, **changed: Any) -> Any:
        """Return boto3's own client for the whole server; keywords replace those of ``boto3.client``."""
        import boto3
        from botocore.config import Config

        settings = {"s3": {"addressing_style": "path"}, "retries": {"total_max_attempts": 2}}
        keywords: dict[str, Any] = {
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "verify": str(self.ca_path) if self.ca_path else None,
            "config": Config(**settings),
        }
        return boto3.session.Session().client("s3", **{**keywords, **changed})

    def make_bucket(self, name: str, *, object_lock: bool = False, versioning: bool = False) -> None:
        """Create a bucket, also one for locks, or one that keeps old versions."""
        client = self.client()
        client.create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if object_lock else {}))
        if versioning or object_lock:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def options(self, **changed: Any) -> dict[str, Any]:
        """Return the option ``store``."""
        own: dict[str, Any] = {
            "endpoint_url": self.endpoint,
            "region": self.region,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "addressing_style": "path",
            "ca_path": str(self.ca_path) if self.ca_path else None,
        }
        return {name: value for name, value in {**own, **changed}.items() if value is not None}

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return all objects of a bucket."""
        client = self.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def uploads(self, bucket: str) -> list[str]:
        """Return the keys of the uploads that are under way, or were left behind."""
        return [upload["Key"] for upload in self.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


class VersityGw(S3Server):
    """versitygw: multipart, versions, object lock, policies, users.

    ``tls``: with a certificate of ``ca``. ``keep_alive``: a connection serves several requests, as S3's own do.
    """

    name = "versitygw"
    program = "versitygw"

    def __init__(self, directory: Path, *, tls: bool = False, keep_alive: bool = False) -> None:
        super().__init__(directory)
        self.tls = tls
        self.keep_alive = keep_alive
        self.authority = trustme.CA() if tls else None

    @property
    def endpoint(self) -> str:
        """The URL at which it is reached."""
        return f"{'https' if self.tls else 'http'}://{LOOPBACK}:{self.port}"

    def command(self, program: str) -> list[str]:
        """Return the command line."""
        for name in ("data", "versions", "users"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        command = [program, "--port", f"{LOOPBACK}:{self.port}", "--access", self.access_key, "--secret"]
        command += [self.secret_key, "--region", self.region, "--iam-dir", str(self.directory / "users"), "--quiet"]
        command += ["--iam-cache-disable", *(["--keep-alive"] if self.keep_alive else [])]
        if self.authority is not None:
            certificate = self.authority.issue_cert(LOOPBACK)
            self.ca_path = self.directory / "ca.pem"
            self.authority.cert_pem.write_to_path(str(self.ca_path))
            certificate.private_key_pem.write_to_path(str(self.directory / "key.pem"))
            certificate.cert_chain_pems[0].write_to_path(str(self.directory / "cert.pem"))
            command += ["--cert", str(self.directory / "cert.pem"), "--key", str(self.directory / "key.pem")]
        return [*command, "posix", "--versioning-dir", str(self.directory / "versions"), str(self.directory / "data")]

    def user(self, bucket: str, *allowed: str) -> dict[str, str]:
        """Return the keys of a new user who may do these actions alone, such as ``s3:PutObject``, in a bucket."""
        import json
        import subprocess

        access, secret = f"AKID{secrets.token_hex(6)}", secrets.token_hex(16)
        admin = [str(binaries.program(self.program)), "admin", "--access", self.access_key, "--secret", self.secret_key]
        admin += ["--endpoint-url", self.endpoint, "--region", self.region, "create-user"]
        command = [*admin, "--access", access, "--secret", secret, "--role", "user"]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
        places = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        of_bucket = [action for action in allowed if "Bucket" in action]
        of_objects = [action for action in allowed if "Bucket" not in action]
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": [access]}, "Action": actions, "Resource": place}
            for actions, place in ((of_bucket, places[0]), (of_objects, places[1]))
            if actions
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.client().put_bucket_policy(Bucket=bucket, Policy=policy)
        return {"access_key": access, "secret_key": secret}


class SeaweedFs(S3Server):
    """SeaweedFS, all in one process."""

    name = "seaweedfs"
    program = "weed"
    probe = "/healthz"

    def command(self, program: str) -> list[str]:
        """Return the command line."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        command = [program, "-logtostderr", "-v=-1", "mini", "-dir", str(self.directory / "data"), "-ip", LOOPBACK]
        command += ["-ip.bind", LOOPBACK, "-admin.ui=false", "-webdav=false", "-master.telemetry=false"]
        # Each bucket takes a volume of its own, and it would allow as many as GiBs are free on the disk.
        command += ["-volume.max", "1000", "-master.volumeSizeLimitMB", "64"]
        command += ["-s3.port.iceberg", "0", "-s3.port.lance", "0"]
        for port, number in self._ports.items():
            command += [f"-{port}", str(number)]
        return command

    @functools.cached_property
    def _ports(self) -> dict[str, int]:
        roles = [f"{role}.port{kind}" for role in ("master", "volume", "filer", "admin") for kind in ("", ".grpc")]
        return {"s3.port": self.port, "s3.port.grpc": free_port(), **{role: free_port() for role in roles}}

    def environment(self) -> dict[str, str]:
        """Its users are made from these."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def stop(self) -> None:
        """End the server, and remove the sockets that it makes in /tmp, wherever it is told to keep its data."""
        super().stop()
        for number in self._ports.values():
            for path in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):
                path.unlink(missing_ok=True)
        del self._ports


class Rclone(S3Server):
    """rclone serve s3: the weak one. It overwrites, takes wrong checksums, and ignores ranges."""

    name = "rclone"
    program = "rclone"

    def command(self, program: str) -> list[str]:
        """Return the command line."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        keys = f"{self.access_key},{self.secret_key}"
        options = ["--config", os.devnull, "--addr", f"{LOOPBACK}:{self.port}", "--auth-key", keys]
        return [program, "serve", "s3", *options, "--vfs-cache-mode", "off", str(self.directory / "data")]


class Certified(StoreServer):
    """A server that can have a certificate. ``tls``: of a CA of its own."""

    def __init__(self, directory: Path, *, tls: bool = False) -> None:
        super().__init__(directory)
        self.ca_path = directory / "ca.pem" if tls else None

    @property
    def endpoint(self) -> str:
        """The URL at which it is reached."""
        return f"{'https' if self.ca_path else 'http'}://{LOOPBACK}:{self.port}"

    @property
    def verify(self) -> Any:
        """What clients are to trust."""
        return str(self.ca_path) if self.ca_path else True

    def certificate(self) -> tuple[str, str]:
        """Return the paths of a new certificate and its key."""
        authority = trustme.CA()
        issued = authority.issue_cert(LOOPBACK)
        paths = self.directory / "cert.pem", self.directory / "key.pem"
        authority.cert_pem.write_to_path(str(self.ca_path))
        issued.cert_chain_pems[0].write_to_path(str(paths[0]))
        issued.private_key_pem.write_to_path(str(paths[1]))
        return str(paths[0]), str(paths[1])


class FakeGcs(Certified):
    """fake-gcs-server, which speaks the JSON API of Google Cloud Storage."""

    name = "fake-gcs-server"
    program = "fake-gcs-server"
    scheme = "gs"
    probe = "/_internal/healthcheck"
    project = "tests"

    def command(self, program: str) -> list[str]:
        """Return the command line."""
        place = f"{LOOPBACK}:{self.port}"
        command = [program, "-host", LOOPBACK, "-port", str(self.port), "-backend", "memory", "-public-host", place]
        command += ["-external-url", self.endpoint, "-scheme", "https" if self.ca_path else "http"]
        if self.ca_path:
            certificate, key = self.certificate()
            command += ["-cert-location", certificate, "-private-key-location", key]
        return command

    def ask(self, method: str, path: str, **keywords: Any) -> Any:
        """Ask the JSON API by plain HTTP: ``ask("GET", "/storage/v1/b/…/o")``."""
        import requests

        answer = requests.request(method, self.endpoint + path, timeout=PATIENCE, verify=self.verify, **keywords)
        answer.raise_for_status()
        return answer

    def make_bucket(self, name: str, *, versioning: bool = False) -> None:
        """Create a bucket."""
        body = {"name": name, "versioning": {"enabled": versioning}}
        self.ask("POST", "/storage/v1/b", params={"project": self.project}, json=body)

    def options(self, **changed: Any) -> dict[str, Any]:
        """Return the option ``store``."""
        own: dict[str, Any] = {"endpoint_url": self.endpoint, "project": self.project}
        own["ca_path"] = str(self.ca_path) if self.ca_path else None
        return {name: value for name, value in {**own, **changed}.items() if value is not None}

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return all objects of a bucket."""
        from urllib.parse import quote

        found: dict[str, bytes] = {}
        token = ""
        while True:
            page = self.ask("GET", f"/storage/v1/b/{bucket}/o", params={"pageToken": token} if token else {}).json()
            for item in page.get("items", []):
                path = f"/storage/v1/b/{bucket}/o/{quote(item['name'], safe='')}"
                found[item["name"]] = self.ask("GET", path, params={"alt": "media"}).content
            token = page.get("nextPageToken", "")
            if not token:
                return found


class Azurite(Certified):
    """Azurite, Microsoft's own emulator of Azure Blob Storage."""

    name = "azurite"
    program = "azurite"
    scheme = "az"
    account = "devstoreaccount1"
    # Known to everybody: it is built into Azurite and in its documentation.
    account_key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

    @property
    def account_url(self) -> str:
        """The URL of the account."""
        return f"{self.endpoint}/{self.account}"

    def command(self, program: str) -> list[str]:
        """Return the command line."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        command = [program, "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--location"]
        command += [str(self.directory / "data"), "--blobHost", LOOPBACK, "--blobPort", str(self.port)]
        if self.ca_path:
            certificate, key = self.certificate()
            command += ["--cert", certificate, "--key", key]
        return command

    def client(self) -> Any:
        """Return the SDK's own client for the account."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(self.account_url, credential=self.account_key, connection_verify=self.verify)

    def make_bucket(self, name: str) -> None:
        """Create a container."""
        with self.client() as client:
            client.create_container(name)

    def options(self, **changed: Any) -> dict[str, Any]:
        """Return the option ``store``."""
        own: dict[str, Any] = {"account_url": self.account_url, "account_key": self.account_key}
        own["ca_path"] = str(self.ca_path) if self.ca_path else None
        return {name: value for name, value in {**own, **changed}.items() if value is not None}

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return all blobs of a container."""
        with self.client() as client:
            container = client.get_container_client(bucket)
            return {blob.name: container.download_blob(blob.name).readall() for blob in container.list_blobs()}


SERVERS: dict[str, type[StoreServer]] = {kind.name: kind for kind in (VersityGw, SeaweedFs, Rclone, FakeGcs, Azurite)}


@contextlib.contextmanager
def running(name: str, directory: Path, **options: Any) -> Iterator[Any]:
    """Start a server by its name. Skips the test where the server needs a program that this machine lacks."""
    import shutil

    import pytest

    if (
        name == Azurite.name
        and not os.environ.get("AZURITE_BIN")
        and not (shutil.which("npm") and shutil.which("node"))
    ):
        pytest.skip("Azurite needs node and npm, which this machine lacks: tests with Azure's store are left out")
    with SERVERS[name](directory, **options) as server:
        yield server
