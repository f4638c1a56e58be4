# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boto3 as it is used here: one request at a time, with our own retries, and every failure translated.

Requests about many small objects go past most of it: see ``s3_direct``.

The SDK's transfer manager is not used: it stored a part of a stream and reported success. Its retries are off, so that
``store.retries`` means what it says. Its newer default checksums are off, too: many stores refuse them.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

from ..._errors import FailureKind, MissingLibraryError, OptionError, StoreError
from ..settings import StoreSettings
from .attempts import attempt
from .s3_direct import Answer, Way, way_of
from .s3_errors import OPERATIONS, fault_of

BOTO3_MISSING = ""
try:
    import boto3
    import botocore.auth
    import botocore.awsrequest
    import botocore.config
    import botocore.exceptions
except ImportError as missing:
    boto3 = None
    BOTO3_MISSING = str(missing)

_CONDITIONAL = ("PutObject", "CompleteMultipartUpload")
_OPERATION = {"GET": "GetObject", "DELETE": "DeleteObject"}
_SHOW_THE_WAY = ("GetObject", "HeadObject")
_CONNECT_TIMEOUT = 10
"""Seconds, unless ``store.timeout`` is shorter."""


class S3Client:
    """Requests to one bucket.

    :raises MissingLibraryError: boto3 is not installed here. :raises OptionError: the settings don't fit together.
    """

    def __init__(self, bucket: str, settings: StoreSettings) -> None:
        if boto3 is None:
            raise MissingLibraryError("boto3", BOTO3_MISSING)
        _require_usable(settings)
        self.bucket = bucket
        self._retries = settings.retries
        self._place = f"s3://{bucket}/"
        self._current = threading.local()
        """What the thread's request is: ``create_only``, and the ``key`` that it is about."""
        self._way: Way | None = None
        self._sdk = self._client_of(settings)
        # Older SDKs don't know the header at these operations, and sign it all the same.
        for name in _CONDITIONAL:
            self._sdk.meta.events.register(f"before-sign.s3.{name}", self._add_condition)
        for name in _SHOW_THE_WAY:
            self._sdk.meta.events.register(f"before-send.s3.{name}", self._note_way)

    def call(
        self, name: str, *, place: str, create_only: bool = False, retries: int | None = None, **params: Any
    ) -> Any:
        """Send a request and return botocore's answer; what may succeed later is sent again.

        :param name: of the operation, such as ``PutObject``. :param place: the URL of what it is about, for messages.
        :param create_only: whether it has to fail where there is something.
        :raises StoreError: it failed for good.
        """
        method = getattr(self._sdk, botocore.xform_name(name))

        def act() -> Any:
            self._current.create_only, self._current.key = create_only, params.get("Key", "")
            try:
                return method(Bucket=self.bucket, **params)
            finally:
                self._current.create_only = False

        def translate(error: Exception) -> Any:
            return fault_of(error, place, OPERATIONS[name], now=time.time())

        return attempt(act, translate, self._retries if retries is None else retries)

    def head(self, key: str, *, place: str) -> Any:
        """Return what the store says of an object, in botocore's words.

        :raises StoreError: ``store_missing``: there is none.
        """
        try:
            return self.call("HeadObject", place=place, Key=key)
        except StoreError as error:
            # The answer to a HEAD has no body that says why. To a GET it has one.
            if error.facts.get("code") or error.facts.get("status") not in (301, 307, 400, 403, 404):
                raise
        self.call("GetObject", place=place, Key=key, Range="bytes=0-0")["Body"].close()
        return self.call("HeadObject", place=place, Key=key)

    @contextlib.contextmanager
    def streaming(self, place: str) -> Iterator[None]:
        """Translate what goes wrong while a body is read.

        :raises StoreError: ``store_unavailable``, most of the time: it was cut.
        """
        try:
            yield
        except Exception as error:
            fault = fault_of(error, place, OPERATIONS["GetObject"], now=time.time())
            if fault is None or isinstance(error, StoreError):
                raise
            raise fault.error from None

    def direct(self, method: str, key: str, *, place: str, limit: int = 0) -> Answer | None:
        """Send a request about an object past most of the SDK; return None where the SDK has to do it.

        :param method: ``GET`` or ``DELETE``. :param limit: bytes of the body that are read at most.
        :raises StoreError: the store can't be reached, or the answer was cut, again and again. Every other answer is
            returned, whatever it says.
        """
        way, session = self._way, getattr(getattr(self._sdk, "_endpoint", None), "http_session", None)
        if way is None or session is None or self._credentials is None:
            return None

        def translate(error: Exception) -> Any:
            return fault_of(error, place, OPERATIONS[_OPERATION[method]], now=time.time())

        return attempt(lambda: self._sent(session, way, method, key, limit), translate, self._retries)

    def _sent(self, session: Any, way: Way, method: str, key: str, limit: int) -> Answer:
        headers = {"User-Agent": way.agent, **({"x-amz-checksum-mode": "ENABLED"} if method == "GET" else {})}
        request = botocore.awsrequest.AWSRequest(method=method, url=way.url_of(key), headers=headers, data=b"")
        request.context["client_config"] = self._sdk.meta.config
        botocore.auth.S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", way.region).add_auth(request)
        prepared = request.prepare()
        prepared.stream_output = True
        response = session.send(prepared)
        try:
            body, more = b"", b"-"
            while more and len(body) <= limit:
                more = response.raw.read(limit + 1 - len(body))
                body += more
        finally:
            response.raw.close()
        told = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return Answer(response.status_code, told, body[:limit], len(body) <= limit)

    def _add_condition(self, request: Any, **_event: Any) -> None:
        if getattr(self._current, "create_only", False):
            request.headers["If-None-Match"] = "*"

    def _note_way(self, request: Any, **_event: Any) -> None:
        # Each time: a bucket that is in another region is found by being sent elsewhere.
        self._way = way_of(getattr(self._current, "key", ""), request.url, request.headers)

    def _client_of(self, settings: StoreSettings) -> Any:
        style = {"auto": "auto", "path": "path", "virtual": "virtual"}[settings.addressing_style]
        options: dict[str, Any] = {
            "connect_timeout": min(settings.timeout, _CONNECT_TIMEOUT),
            "read_timeout": settings.timeout,
            "retries": {"total_max_attempts": 1},
            "s3": {"addressing_style": style},
            "signature_version": "s3v4",
            "max_pool_connections": 32,
        }
        for name in ("request_checksum_calculation", "response_checksum_validation"):
            if name in botocore.config.Config.OPTION_DEFAULTS:
                options[name] = "when_required"
        verify: Any = settings.ca_path or None
        if not settings.validate_certs:
            verify = False
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        try:
            session = boto3.session.Session(
                aws_access_key_id=settings.access_key,
                aws_secret_access_key=settings.secret_key,
                aws_session_token=settings.session_token,
                region_name=settings.region,
                profile_name=settings.profile,
            )
            self._credentials = session.get_credentials()
            return session.client(
                "s3", endpoint_url=settings.endpoint_url, verify=verify, config=botocore.config.Config(**options)
            )
        except botocore.exceptions.BotoCoreError as error:
            fault = fault_of(error, self._place, OPERATIONS["HeadObject"], now=time.time())
            if fault is not None and fault.error.kind == FailureKind.STORE_CREDENTIALS:
                raise OptionError(f"store: {fault.error.message}", hint=fault.error.hint) from None
            raise _unusable(error) from None
        except ValueError as error:
            raise _unusable(error) from None


def metadata_of(answer: dict[str, Any]) -> dict[str, str]:
    """Return what was noted with an object, with names in lower case: some stores give them back in another."""
    return {str(name).lower(): str(value) for name, value in (answer.get("Metadata") or {}).items()}


def _require_usable(settings: StoreSettings) -> None:
    if bool(settings.access_key) != bool(settings.secret_key):
        raise OptionError(
            "store: access_key and secret_key belong together", hint="Set both, or neither for the SDK's own chain."
        )
    if settings.session_token and not settings.access_key:
        raise OptionError("store: session_token goes with access_key", hint="Set access_key and secret_key, too.")
    if settings.endpoint_url and "@" in settings.endpoint_url:
        raise OptionError("store: credentials don't belong in endpoint_url", hint="Set access_key and secret_key.")
    if settings.ca_path and not os.path.exists(settings.ca_path):
        raise OptionError(f"store: ca_path {settings.ca_path} does not exist", hint="Set it to a file of certificates.")


def _unusable(error: Exception) -> OptionError:
    return OptionError(
        f"store: the SDK refuses these options ({type(error).__name__})",
        hint="Check endpoint_url (https://host:port), region and profile.",
    )
