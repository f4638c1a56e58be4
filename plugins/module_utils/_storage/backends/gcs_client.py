# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Google Cloud Storage is reached: credentials, CA, endpoint."""

from __future__ import annotations

import importlib
import ipaddress
import warnings
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..._errors import MissingLibraryError, OptionError
from ..settings import StoreSettings

SCOPE = "https://www.googleapis.com/auth/devstorage.full_control"
"""The widest one that storage has: what may be done is a matter of the credentials' roles."""


class Connection(NamedTuple):
    """The SDK's client, and the session that its requests and ours go through."""

    client: Any
    session: Any


def require_library() -> None:
    """Raise MissingLibraryError when the SDK is not installed here."""
    try:
        importlib.import_module("google.cloud.storage")
        importlib.import_module("google_crc32c")
    except ImportError as error:
        raise MissingLibraryError("google-cloud-storage", str(error)) from error


def connect(settings: StoreSettings) -> Connection:
    """Return a client. No request goes to the store yet; credentials may be asked for on the network.

    :raises OptionError: the endpoint is not a URL.
    Exceptions of google-auth are left to the caller: what they mean is in ``gcs_errors``.
    """
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import storage

    if settings.endpoint_url is not None and not _is_endpoint(settings.endpoint_url):
        raise OptionError("store.endpoint_url: not the URL of a service", hint="Write https://host:port.")
    session: Any = AuthorizedSession(_credentials(settings))
    # With each request: what requests finds in the environment would replace what the session has.
    session.request = partial(session.request, verify=settings.validate_certs and (settings.ca_path or True))
    options = {"api_endpoint": settings.endpoint_url.rstrip("/")} if settings.endpoint_url else None
    client = storage.Client(
        project=settings.project, credentials=session.credentials, _http=session, client_options=options
    )
    if hasattr(client, "_bucket_metadata_cache"):
        # For its traces it would ask for the bucket, in another thread and with a permission that nothing else needs.
        client._bucket_metadata_cache = None
    return Connection(client, session)


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return False
    extra = parts.query or parts.fragment or parts.username or parts.password
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not extra


def is_emulator(endpoint_url: str | None) -> bool:
    """Whether an endpoint is on this host or has no TLS, as emulators have it: it gets no credentials unasked."""
    parts = urlsplit(endpoint_url or "")
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _credentials(settings: StoreSettings) -> Any:
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError

    if settings.credentials_file is not None:
        with warnings.catch_warnings():
            # google-auth warns of files that come from somebody else; this one is named by the user.
            warnings.simplefilter("ignore")
            try:
                named, _project = google.auth.load_credentials_from_file(settings.credentials_file, scopes=[SCOPE])
            except (GoogleAuthError, OSError, ValueError, KeyError, TypeError) as error:
                raise OptionError(
                    "store.credentials_file: can't be used as a key file of a service account",
                    hint="Name the JSON file of a service account, readable by the user that runs the module.",
                ) from error
        return named
    if is_emulator(settings.endpoint_url):
        return AnonymousCredentials()
    credentials, _project = google.auth.default(scopes=[SCOPE])
    return credentials
