# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Azure Blob Storage is reached: credentials, CA, endpoint."""

from __future__ import annotations

import importlib
from typing import Any
from urllib.parse import urlsplit

from ..._errors import MissingLibraryError, OptionError
from ..settings import StoreSettings
from .blocks import BLOCK, PIECE


def require_library(settings: StoreSettings) -> None:
    """Raise MissingLibraryError when the SDK, or what these settings need of it, is not installed here."""
    needed = [("azure-storage-blob", "azure.storage.blob")]
    if not has_credentials(settings):
        needed.append(("azure-identity", "azure.identity"))
    for library, module in needed:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise MissingLibraryError(library, str(error)) from error


def has_credentials(settings: StoreSettings) -> bool:
    """Whether the settings hold a key or the like; else this host's identity is used."""
    return bool(settings.account_key or settings.sas_token or settings.connection_string)


def require_account(settings: StoreSettings) -> str | None:
    """Return the account's URL, None where the connection string has it.

    :raises OptionError: there is none, or it can't be used.
    """
    url = settings.account_url or settings.endpoint_url
    if url is None:
        if settings.connection_string:
            return None
        raise OptionError(
            "store.account_url: az:// needs the URL of the storage account",
            hint="Set store.account_url to https://ACCOUNT.blob.core.windows.net, or set store.connection_string.",
        )
    try:
        parts = urlsplit(url)
        _port = parts.port
        usable = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        usable = None
    if not usable or parts.query or parts.fragment or parts.username or parts.password:
        raise OptionError(
            "store.account_url: not the URL of a storage account",
            hint="Write https://ACCOUNT.blob.core.windows.net; a SAS token belongs into store.sas_token.",
        )
    if parts.scheme == "http" and not has_credentials(settings):
        raise OptionError(
            "store.account_url: an access token is not sent without TLS",
            hint="Use https://, or set store.account_key, store.sas_token or store.connection_string.",
        )
    return url.rstrip("/")


def account_name(url: str) -> str:
    """Return the name of the account that a URL is of: the first part of a host name, or of an emulator's path."""
    parts = urlsplit(url)
    return parts.path.strip("/").split("/")[0] or (parts.hostname or "").split(".")[0]


def connect(settings: StoreSettings) -> Any:
    """Return the SDK's client for the account. No request is sent yet; retries are not its own.

    :raises OptionError: the settings can't be used.
    """
    from azure.storage.blob import BlobServiceClient

    url = require_account(settings)
    options: dict[str, Any] = {
        "retry_total": 0,
        "connection_timeout": settings.timeout,
        "read_timeout": settings.timeout,
        "connection_verify": settings.validate_certs and (settings.ca_path or True),
        "max_single_put_size": BLOCK,
        "max_block_size": BLOCK,
        "max_single_get_size": PIECE,
        "max_chunk_get_size": PIECE,
    }
    try:
        if settings.connection_string and not (settings.account_key or settings.sas_token):
            return BlobServiceClient.from_connection_string(settings.connection_string, **options)
        return BlobServiceClient(url or "", credential=_credential(settings, url or ""), **options)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # The SDK's text may quote what it got.
        raise OptionError(
            "store: the account's URL, key, SAS token or connection string can't be used",
            hint="Copy the connection string from the account's page Access keys, or its URL and key.",
        ) from error


def _credential(settings: StoreSettings, url: str) -> Any:
    if settings.account_key:
        return {"account_name": account_name(url), "account_key": settings.account_key}
    if settings.sas_token:
        from azure.core.credentials import AzureSasCredential

        return AzureSasCredential(settings.sas_token.lstrip("?"))
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
