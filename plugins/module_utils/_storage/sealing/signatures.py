# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests signed, and signatures checked, by ``ssh-keygen -Y`` of OpenSSH."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence

from ..._errors import SignatureError
from ..._system.atomic_files import file_errors
from .programs import FilterFailed, Finished, run_program
from .signature_words import (
    CHANGED,
    MISSING,
    NAMESPACE,
    REVOKED,
    Refusal,
    Signer,
    Verdict,
    is_too_old,
    key_in,
    principals_in,
    refusal,
    refusal_from,
)

SUFFIX = ".sig"
SIGNATURE_LIMIT = 1 << 16
"""Bytes of a signature at most: one by an RSA key of 16,384 bits has 6,000."""

_PROGRAM = "ssh-keygen"
_PATIENCE = 30.0
"""Seconds that ssh-keygen may take. A key in the agent may have to be touched."""
_EARLIEST = 86400.0
"""Seconds since the epoch: ssh-keygen does not understand every time that a manifest may name."""
_ARMOR = b"-----BEGIN SSH SIGNATURE-----"
_AGENT = ("SSH_AUTH_SOCK",)


def sign(manifest: bytes, signing_key: str) -> bytes:
    """Return the signature of a manifest's bytes, as text.

    :param signing_key: a private key without a passphrase, or one (or its ``.pub``) that the agent holds.
    :raises SignatureError: it can't be signed: ssh-keygen is missing or too old, or the key can't be used.
    """
    path = os.path.abspath(signing_key)
    _require_file(path, "signing_key")
    finished = _ssh_keygen(["-Y", "sign", "-f", path, "-n", NAMESPACE], manifest)
    if finished.code or not finished.output.startswith(_ARMOR):
        raise _signing_failed(finished, path)
    return finished.output


def check_signing_key(signing_key: str) -> None:
    """Make sure that manifests can be signed, by signing nothing.

    :raises SignatureError: as ``sign``.
    """
    sign(b"", signing_key)


def verify(
    manifest: bytes,
    signature: bytes | None,
    allowed_signers: str,
    *,
    taken_at: float,
    revoked_signers: str | None = None,
) -> Verdict:
    """Return who signed a manifest, or why its signature does not count.

    What is written in ``allowed_signers`` of the time in which a key is valid is compared with the time at which the
    archive was taken, as git does with commits: an old archive stays good when its key has expired since. A key that
    was stolen belongs into ``revoked_signers``: whoever has it can give an archive any date.

    :param signature: None where there is none. :param taken_at: what the manifest says of it, in seconds since the
        epoch. A time ahead of now counts as now, and one before 1970 as of that year.
    :raises SignatureError: it can't be checked: ssh-keygen is missing or too old, or a file can't be used.
    """
    _require_file(allowed_signers, "allowed_signers")
    if revoked_signers is not None:
        _require_file(revoked_signers, "revoked_signers")
    if signature is None:
        return refusal(MISSING)
    # In the time zone of this host, as dates in allowed_signers are: OpenSSH before 9.1 knows no other.
    when = time.strftime("%Y%m%d%H%M%S", time.localtime(max(_EARLIEST, min(taken_at, time.time()))))
    with _file_with(signature[:SIGNATURE_LIMIT]) as path:
        common = [f"-Overify-time={when}", "-s", path, "-f", os.path.abspath(allowed_signers)]
        # Who it may be; whether it is one of theirs is asked next.
        found = _checked(["-Y", "find-principals", *common])
        names = principals_in(found.output) if not found.code else []
        if not names:
            return _refusal_of_nobody(manifest, path, found)
        verdict: Verdict = refusal(CHANGED)
        for name in names:
            verdict = _verdict_on(name, manifest, common, revoked_signers)
            if isinstance(verdict, Signer) or verdict.name == REVOKED:
                break
    return verdict


def _refusal_of_nobody(manifest: bytes, path: str, found: Finished) -> Refusal:
    """Return why a signature that is nobody's does not count: it may be of something else altogether."""
    checked = _checked(["-Y", "check-novalidate", "-n", NAMESPACE, "-s", path], manifest)
    return refusal_from(checked.words if checked.code else found.words)


def _verdict_on(name: str, manifest: bytes, common: Sequence[str], revoked_signers: str | None) -> Verdict:
    command = ["-Y", "verify", "-n", NAMESPACE, "-I", name, *common]
    revoked = [] if revoked_signers is None else ["-r", os.path.abspath(revoked_signers)]
    finished = _checked([*command, *revoked], manifest)
    if not finished.code:
        return Signer(name, key_in(finished.output))
    # ssh-keygen does not always say that a key is revoked; it is if nothing else is wrong.
    if revoked and not _checked(command, manifest).code:
        return refusal(REVOKED)
    return refusal_from(finished.words)


def _checked(arguments: Sequence[str], data: bytes = b"") -> Finished:
    finished = _ssh_keygen(arguments, data)
    if finished.code and is_too_old(finished.words):
        raise SignatureError(
            f"the {_PROGRAM} of this host is too old to check signatures",
            hint="OpenSSH 8.9 or newer is required there: Debian 12, Ubuntu 22.04, RHEL 10 and later have it.",
        )
    return finished


def _ssh_keygen(arguments: Sequence[str], data: bytes) -> Finished:
    program = shutil.which(_PROGRAM)
    if program is None:
        raise SignatureError(
            f"this host has no {_PROGRAM}, which signs manifests and checks their signatures",
            hint="Install OpenSSH's client there: the package is openssh-client, or openssh on RHEL.",
        )
    try:
        finished = run_program(
            [os.path.abspath(program), *arguments],
            data,
            patience=_PATIENCE,
            variables={"SSH_ASKPASS_REQUIRE": "never"},
            also_pass_on=_AGENT,
        )
    except FilterFailed as failure:
        raise SignatureError(
            f"{_PROGRAM} {failure.words}", hint="A key that must be touched, or an agent that hangs, may be the reason."
        ) from None
    if finished.code < 0:
        # Upstream's 8.7 crashes when it is asked for principals.
        raise SignatureError(
            f"{_PROGRAM} was killed by signal {-finished.code}", hint="Update OpenSSH there to 8.9 or newer."
        )
    return finished


def _signing_failed(finished: Finished, path: str) -> SignatureError:
    said = " ".join(finished.words).lower()
    if is_too_old(finished.words):
        return SignatureError(
            f"the {_PROGRAM} of this host is too old to sign manifests",
            hint="OpenSSH 8.1 or newer is required to sign, and 8.9 to check: Debian 12, Ubuntu 22.04, RHEL 10.",
        )
    if "passphrase" in said:
        return SignatureError(
            f"the key {path} is protected by a passphrase, which nobody can be asked for here",
            hint="Add it to an ssh-agent whose SSH_AUTH_SOCK the module's environment has, or use a key without one.",
        )
    if "too open" in said:
        return SignatureError(
            f"others can read the key {path}, and {_PROGRAM} refuses to use it", hint=f"Run: chmod 600 {path}"
        )
    last = finished.words[-1] if finished.words else "it gives no reason"
    return SignatureError(
        f"{_PROGRAM} can't sign with {path}: {last}",
        hint="Set signing_key to an ssh private key without a passphrase, or to the .pub file of a key in the agent.",
    )


def _require_file(path: str, option: str) -> None:
    """Make sure that a file can be read: ssh-keygen does not always say that it could not."""
    with file_errors(f"read {option}", path), open(path, "rb") as file:
        file.read(1)


@contextlib.contextmanager
def _file_with(signature: bytes) -> Iterator[str]:
    """Give the path of a private file with a signature in it. ssh-keygen reads it from nowhere else."""
    with tempfile.TemporaryDirectory(prefix="consul-signature-") as directory:
        path = os.path.join(directory, "signature")
        with file_errors("write", path), open(path, "wb") as file:
            file.write(signature)
        yield path
