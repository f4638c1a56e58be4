# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How stores are reached, and how archives in them are sealed, as values (pure)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"


class ObjectLock(NamedTuple):
    """What a new archive is locked with. ``mode``: GOVERNANCE or COMPLIANCE. ``days``: from now on."""

    mode: str
    days: int


class StoreSettings(NamedTuple):
    """The option ``store``: see the documentation fragment of that name. Times are in seconds.

    None where the SDK's own chain decides. Secrets are in here: it is never shown.
    """

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    ca_path: str | None = None
    validate_certs: bool = True
    addressing_style: str = "auto"
    storage_class: str | None = None
    sse: str | None = None
    sse_kms_key_id: str | None = None
    object_lock: ObjectLock | None = None
    account_url: str | None = None
    account_key: str | None = None
    sas_token: str | None = None
    connection_string: str | None = None
    project: str | None = None
    credentials_file: str | None = None
    timeout: int = 60
    retries: int = 3

    def __repr__(self) -> str:
        return "StoreSettings(…)"

    @property
    def secrets(self) -> frozenset[str]:
        """What must never be shown: the secrets, and the secret parts of those that consist of parts."""
        told = {self.secret_key, self.session_token, self.account_key, self.sas_token}
        told.add(self.connection_string)
        for name, _equals, value in (part.partition("=") for part in (self.connection_string or "").split(";")):
            if name.strip().lower() in ("accountkey", "sharedaccesssignature"):
                told.add(value.strip())
        for part in re.split("[&?;]", f"{self.sas_token or ''};{self.connection_string or ''}"):
            name, _equals, value = part.partition("sig=")
            if not name and value:
                told |= {value, unquote(value)}
        return frozenset(secret for secret in told if secret)


class SealingSettings(NamedTuple):
    """How archives are encrypted and manifests signed, and how both are opened and checked.

    ``recipients``: age's, or ssh public keys. ``identity_file``: what opens. ``signing_key``: a private key of
    OpenSSH's (or the public one of a key in the agent). ``allowed_signers``: a file as ssh-keygen(1) describes it.
    ``revoked_signers``: a file of public keys, or a key revocation list, whose signatures never count.
    """

    recipients: tuple[str, ...] = ()
    recipients_file: str | None = None
    identity_file: str | None = None
    signing_key: str | None = None
    allowed_signers: str | None = None
    revoked_signers: str | None = None

    @property
    def encrypts(self) -> bool:
        """Whether new archives are encrypted."""
        return bool(self.recipients or self.recipients_file)
