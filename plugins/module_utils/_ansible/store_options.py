# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of stores and of sealing, and the settings that they become (pure).

Environment variables of the SDKs, such as AWS_PROFILE or GOOGLE_APPLICATION_CREDENTIALS, are left to the SDKs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .._errors import OptionError, listed, printable
from .._storage.location import AZURE, GCS, S3, Location
from .._storage.settings import COMPLIANCE, GOVERNANCE, ObjectLock, SealingSettings, StoreSettings

_STORE: dict[str, Any] = {
    "type": "dict",
    "options": {
        "endpoint_url": {"type": "str"},
        "region": {"type": "str"},
        "profile": {"type": "str"},
        "access_key": {"type": "str", "no_log": False},
        "secret_key": {"type": "str", "no_log": True},
        "session_token": {"type": "str", "no_log": True},
        "ca_path": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "addressing_style": {"type": "str", "choices": ["auto", "path", "virtual"], "default": "auto"},
        "storage_class": {"type": "str"},
        "sse": {"type": "str", "choices": ["AES256", "aws:kms", "aws:kms:dsse"]},
        "sse_kms_key_id": {"type": "str", "no_log": False},
        "object_lock": {
            "type": "dict",
            "options": {
                "mode": {"type": "str", "choices": [GOVERNANCE, COMPLIANCE], "required": True},
                "days": {"type": "int", "required": True},
            },
        },
        "account_url": {"type": "str"},
        "account_key": {"type": "str", "no_log": True},
        "sas_token": {"type": "str", "no_log": True},
        "connection_string": {"type": "str", "no_log": True},
        "project": {"type": "str"},
        "credentials_file": {"type": "path"},
        "timeout": {"type": "int", "default": 60},
        "retries": {"type": "int", "default": 3},
    },
    "mutually_exclusive": [
        ("profile", "access_key"),
        ("account_key", "sas_token", "connection_string"),
        ("account_url", "connection_string"),
    ],
    "required_together": [("access_key", "secret_key")],
    "required_by": {"session_token": "access_key", "sse_kms_key_id": "sse"},
}

STORE_OPTIONS: dict[str, dict[str, Any]] = {"store": _STORE}
DEST_STORE_OPTIONS: dict[str, dict[str, Any]] = {"dest_store": _STORE}
SEALING_WRITE_OPTIONS: dict[str, dict[str, Any]] = {
    "encrypt_to": {"type": "list", "elements": "str"},
    "encrypt_to_file": {"type": "path"},
    "signing_key": {"type": "path", "no_log": False},
}
SEALING_READ_OPTIONS: dict[str, dict[str, Any]] = {
    "identity_file": {"type": "path"},
    "allowed_signers": {"type": "path"},
    "revoked_signers": {"type": "path"},
}

_EVERYWHERE = {"endpoint_url", "ca_path", "validate_certs", "storage_class", "object_lock", "timeout", "retries"}
_ONLY_S3 = {"region", "profile", "access_key", "secret_key", "session_token", "addressing_style", "sse"}
FITTING = {
    S3: frozenset(_EVERYWHERE | _ONLY_S3 | {"sse_kms_key_id"}),
    GCS: frozenset(_EVERYWHERE | {"project", "credentials_file"}),
    AZURE: frozenset(_EVERYWHERE | {"account_url", "account_key", "sas_token", "connection_string"}),
}
"""What each kind of store makes use of. A setting that would have no effect is refused."""

SECRET_VARIABLES = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_STORAGE_CONNECTION_STRING"),
    *("AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"),
)
"""Environment variables whose values must never be shown, whoever reads them."""

_MAX_LOCK_DAYS = 36500


def store_settings(params: Mapping[str, Any], option: str = "store") -> StoreSettings:
    """Return what an option ``store`` says; the defaults where it isn't set. An empty text counts as not set.

    :raises OptionError: one of its values can't be used; the message holds no secret.
    """
    told = {name: value for name, value in (params.get(option) or {}).items() if value not in (None, "")}
    for name in ("endpoint_url", "account_url"):
        if name in told:
            _require_address(told[name], f"{option}.{name}")
    for name, least in (("timeout", 1), ("retries", 0)):
        if told.get(name, least) < least:
            raise OptionError(f"{option}.{name} must be {least} or more", hint="Correct the option.")
    lock = told.get("object_lock")
    if lock:
        if not 1 <= lock["days"] <= _MAX_LOCK_DAYS:
            raise OptionError(
                f"{option}.object_lock.days must be between 1 and {_MAX_LOCK_DAYS}", hint="Correct the option."
            )
        told["object_lock"] = ObjectLock(lock["mode"], lock["days"])
    return StoreSettings(**told)


def require_fitting(settings: StoreSettings, locations: Iterable[Location], option: str = "store") -> None:
    """Make sure that every setting has an effect for one of the places that it is given for. Paths need none.

    :raises OptionError: one has no effect; the message names it, never its value.
    """
    schemes = sorted({location.scheme for location in locations if not location.is_local})
    usable = {name for scheme in schemes for name in FITTING[scheme]}
    default = StoreSettings()
    given = [name for name in settings._fields if getattr(settings, name) != getattr(default, name)]
    lost = [f"{option}.{name}" for name in given if name not in usable]
    if schemes and lost:
        kinds = listed([f"{scheme}://" for scheme in schemes])
        raise OptionError(f"{listed(lost)} has no effect for {kinds}", hint="Remove it, or correct the URL.")


def sealing_settings(params: Mapping[str, Any]) -> SealingSettings:
    """Return what the options of sealing say; a module need not have all of them.

    :raises OptionError: a recipient is empty.
    """
    recipients = tuple(recipient.strip() for recipient in params.get("encrypt_to") or ())
    if not all(recipients):
        raise OptionError("encrypt_to has an empty recipient", hint="Remove it, or set it to a public key.")
    return SealingSettings(
        recipients=recipients,
        recipients_file=params.get("encrypt_to_file") or None,
        identity_file=params.get("identity_file") or None,
        signing_key=params.get("signing_key") or None,
        allowed_signers=params.get("allowed_signers") or None,
        revoked_signers=params.get("revoked_signers") or None,
    )


def secrets_in(settings: StoreSettings, environment: Mapping[str, str]) -> set[str]:
    """Return what must never be shown: of the settings, and of the variables that an SDK reads by itself."""
    told = {environment[name] for name in SECRET_VARIABLES if environment.get(name)}
    return {secret for secret in (*settings.secrets, *told) if secret.strip()}


def _require_address(text: str, named: str) -> None:
    reason = None
    try:
        url = urlsplit(text)
        if url.scheme not in ("http", "https") or not url.hostname or not text.isprintable() or " " in text:
            reason = "is not an http or https URL"
        elif "@" in url.netloc or url.query or url.fragment:
            # What is there may be a password or a signature: it is not repeated.
            reason = "must be a URL without credentials, query and fragment"
        elif url.port == 0:
            reason = "has no usable port"
    except ValueError:
        reason = "is not an http or https URL"
    if reason is not None:
        shown = f": {printable(text)}" if "@" not in text and "?" not in text and "#" not in text else ""
        raise OptionError(f"{named} {reason}{shown}", hint="Write it as https://host:port.")
