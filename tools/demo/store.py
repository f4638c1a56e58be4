# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real S3 server on loopback with one bucket, seen by boto3 alone; and keys, made and used by age and ssh-keygen."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lab import LabError, binaries
from lab.ports import LOOPBACK, free_port
from lab.process import spawn
from lab.server import clean_environment

REGION = "us-east-1"
NAMESPACE = "consul-snapshot"
PATIENCE = 30.0


class Bucket:
    """A server with one bucket, which runs until ``close``."""

    def __init__(self, directory: Path, log: Path, name: str) -> None:
        self.name = name
        self.endpoint = f"http://{LOOPBACK}:{free_port()}"
        self._access_key, self._secret_key = "demonstration", secrets.token_hex(16)
        for part in ("data", "users"):
            (directory / part).mkdir(mode=0o700, parents=True)
        command = [str(binaries.program("versitygw")), "--port", self.endpoint.partition("//")[2], "--quiet"]
        command += ["--region", REGION, "--iam-dir", str(directory / "users"), "posix", str(directory / "data")]
        # The keys have no place in a list of processes.
        keys = {"ROOT_ACCESS_KEY": self._access_key, "ROOT_SECRET_KEY": self._secret_key}
        self._process: Popen[bytes] = spawn(
            command, cwd=directory, log=log, env={**clean_environment(), **keys}, detached=False
        )
        self._client = boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self._access_key,
            aws_secret_access_key=self._secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )
        self._make()

    @property
    def secret(self) -> str:
        """What nothing may show."""
        return self._secret_key

    @property
    def options(self) -> dict[str, str]:
        """How the collection reaches it."""
        keys = {"access_key": self._access_key, "secret_key": self._secret_key}
        return {"endpoint_url": self.endpoint, "region": REGION, "addressing_style": "path", **keys}

    def names(self) -> list[str]:
        """Return the keys of all objects."""
        return [item["Key"] for item in self._client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def read(self, name: str) -> bytes:
        """Return an object's bytes."""
        data: bytes = self._client.get_object(Bucket=self.name, Key=name)["Body"].read()
        return data

    def write(self, name: str, data: bytes) -> None:
        """Store an object."""
        self._client.put_object(Bucket=self.name, Key=name, Body=data)

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._client.delete_object(Bucket=self.name, Key=name)

    def close(self) -> None:
        """End the server."""
        self._client.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _make(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._client.create_bucket(Bucket=self.name)
                return
            except (BotoCoreError, ClientError) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise LabError(f"the S3 server does not answer: {error}") from error
                time.sleep(0.05)


class Keys(NamedTuple):
    """Two keys that open archives, and one that signs; ``signers`` names the public part of that one."""

    opens: Path
    recipients: Sequence[str]
    signs: Path
    signers: Path

    @classmethod
    def make(cls, directory: Path, who: str) -> Keys:
        """Make them with age-keygen and ssh-keygen."""
        keygen = _age().with_name("age-keygen")
        files = [directory / f"{who}-opens.txt", directory / f"{who}-escrow.txt"]
        for file in files:
            _run([keygen, "-o", file])
        recipients = [_run([keygen, "-y", file]).decode().strip() for file in files]
        signs, signers = directory / f"{who}-signs", directory / f"{who}-signers"
        _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", signs])
        signers.write_text(f"{who} {signs.with_name(f'{signs.name}.pub').read_text('utf-8')}", encoding="utf-8")
        return cls(files[0], recipients, signs, signers)

    def seal(self, data: bytes) -> bytes:
        """Encrypt with age, as everybody can who knows the recipients."""
        return _run([_age(), *(word for recipient in self.recipients for word in ("-r", recipient))], data)

    def unseal(self, data: bytes) -> bytes:
        """Decrypt with age."""
        return _run([_age(), "-d", "-i", self.opens], data)

    def sign(self, data: bytes) -> bytes:
        """Sign with ssh-keygen."""
        return _run(["ssh-keygen", "-Y", "sign", "-q", "-f", self.signs, "-n", NAMESPACE], data)

    def require_signed(self, data: bytes, signature: bytes, who: str) -> None:
        """Let ssh-keygen check a signature.

        :raises LabError: it is not a good one.
        """
        file = self.signers.with_suffix(".sig")
        file.write_bytes(signature)
        _run(["ssh-keygen", "-Y", "verify", "-f", self.signers, "-I", who, "-n", NAMESPACE, "-s", file], data)


def _age() -> Path:
    return binaries.program("age")


def _run(command: Sequence[str | Path], data: bytes = b"") -> bytes:
    done = subprocess.run([str(word) for word in command], input=data, capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise LabError(f"{Path(command[0]).name} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
