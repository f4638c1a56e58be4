# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers of S3 mean. The exceptions have botocore's shapes and names; its own are in tests/integration/stores."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.s3_errors import (
    OPERATIONS,
    fault_of,
)

PLACE = "s3://bucket/x.snap"
NOW = 1_795_680_000.0


class ClientError(Exception):
    """As botocore's."""

    def __init__(self, status: int, code: str, message: str = "", region: str = "", **headers: str) -> None:
        super().__init__(f"An error occurred ({code}): {message}")
        self.response: dict[str, Any] = {
            "Error": {"Code": code, "Message": message, **({"Region": region} if region else {})},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HTTPHeaders": {name.replace("_", "-"): value for name, value in headers.items()},
            },
        }


def meaning(error: Exception, operation: str = "PutObject") -> StoreError:
    fault = fault_of(error, PLACE, OPERATIONS[operation], now=NOW)
    assert fault is not None
    return fault.error


@pytest.mark.parametrize(
    ("status", "code", "operation", "kind", "says"),
    [
        (403, "InvalidAccessKeyId", "PutObject", "store_credentials", "does not know these credentials"),
        (403, "SignatureDoesNotMatch", "PutObject", "store_credentials", "store.secret_key"),
        (400, "ExpiredToken", "PutObject", "store_credentials", "has expired"),
        (400, "InvalidToken", "PutObject", "store_credentials", "new session token"),
        (403, "RequestTimeTooSkewed", "PutObject", "store_credentials", "Correct the time of this host"),
        (401, "Unauthorized", "PutObject", "store_credentials", "does not know these credentials"),
        (403, "AccessDenied", "PutObject", "store_denied", "s3:PutObject"),
        (403, "AccessDenied", "ListObjectsV2", "store_denied", "s3:ListBucket"),
        (403, "AccessDenied", "DeleteObject", "store_denied", "s3:DeleteObject"),
        (403, "403", "HeadObject", "store_denied", "s3:GetObject"),
        (404, "NoSuchBucket", "PutObject", "store_missing", "no such bucket"),
        (404, "NoSuchKey", "GetObject", "store_missing", "no such object"),
        (404, "404", "HeadObject", "store_missing", "no such object or bucket"),
        (412, "PreconditionFailed", "PutObject", "store_exists", "Nothing was overwritten"),
        (409, "ConditionalRequestConflict", "CompleteMultipartUpload", "store_exists", "there is something"),
        (412, "PreconditionFailed", "GetObject", "store", "was replaced while it was read"),
        (503, "SlowDown", "UploadPart", "store_unavailable", "busy"),
        (429, "", "UploadPart", "store_unavailable", "busy"),
        (500, "InternalError", "UploadPart", "store_unavailable", "busy"),
        (400, "RequestTimeout", "UploadPart", "store_unavailable", "busy"),
        (400, "BadDigest", "UploadPart", "store_unavailable", "other bytes than were sent"),
        (404, "NoSuchUpload", "CompleteMultipartUpload", "store", "no longer there"),
        (301, "PermanentRedirect", "PutObject", "store", "another region"),
        (301, "301", "HeadObject", "store", "another region"),
        (403, "InvalidObjectState", "GetObject", "store", "storage class"),
        (501, "NotImplemented", "PutObjectLegalHold", "store", "does not have that"),
        (404, "ObjectLockConfigurationNotFoundError", "GetObjectLockConfiguration", "store", "no object lock"),
        (400, "MalformedXML", "PutObject", "store", "store.endpoint_url"),
    ],
)
def test_each_answer_has_one_meaning(status: int, code: str, operation: str, kind: str, says: str) -> None:
    error = meaning(ClientError(status, code, "words of the store"), operation)
    assert (str(error.kind), error.facts["operation"], error.facts["status"]) == (kind, operation, status)
    assert says in error.as_text()
    assert error.message.startswith(f"{PLACE}: {operation} ")
    # A store's own words may hold anything.
    assert "words of the store" not in error.as_text()
    assert error.retryable == (kind in ("store_unavailable", "store_exists"))


def test_a_bucket_without_locks_is_recognised_by_the_words() -> None:
    error = meaning(ClientError(400, "InvalidRequest", "Bucket is missing Object Lock Configuration"))
    assert (error.kind, "leave out store.object_lock" in error.hint) == (FailureKind.STORE, True)


@pytest.mark.parametrize(
    "error",
    [
        ClientError(301, "PermanentRedirect", x_amz_bucket_region="eu-west-1"),
        ClientError(400, "AuthorizationHeaderMalformed", region="eu-west-1"),
    ],
)
def test_the_region_is_named(error: ClientError) -> None:
    assert meaning(error).hint == "Set store.region to eu-west-1."


def test_a_clock_that_is_wrong_is_named() -> None:
    date = "Thu, 26 Nov 2026 07:00:00 GMT"
    error = meaning(ClientError(403, "RequestTimeTooSkewed", date=date))
    assert "clock is 60 minutes ahead of the store's" in error.hint


def test_the_store_says_how_long_to_wait() -> None:
    fault = fault_of(ClientError(503, "SlowDown", retry_after="7"), PLACE, OPERATIONS["PutObject"], now=NOW)
    assert fault is not None
    assert fault.retry_after == 7.0


def tls_error() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


def named(name: str, *, module: str = "botocore.exceptions", cause: Exception | None = None) -> Exception:
    """Return an exception as botocore has one of this name."""
    error = type(name, (Exception,), {"__module__": module})("text with https://host/?X-Amz-Signature=abc")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (named("NoCredentialsError"), "store_credentials", "there are no credentials"),
        (named("PartialCredentialsError"), "store_credentials", "incomplete"),
        (named("ProfileNotFound"), "store_credentials", "no such profile"),
        (named("TokenRetrievalError"), "store_credentials", "could not get credentials"),
        (
            named("EndpointConnectionError", cause=ConnectionRefusedError(111, "Connection refused")),
            "store_unavailable",
            "refused",
        ),
        (named("ConnectionClosedError"), "store_unavailable", "connection was closed"),
        (named("ReadTimeoutError"), "store_unavailable", "timed out"),
        (named("ProtocolError", module="urllib3.exceptions"), "store_unavailable", "connection was closed"),
        (named("SSLError", cause=tls_error()), "store", "TLS"),
        (named("ParamValidationError"), "store", "was not sent"),
        (socket.gaierror(-2, "Name or service not known"), "store_unavailable", "Name or service not known"),
    ],
)
def test_failures_without_an_answer(error: Exception, kind: str, says: str) -> None:
    found = meaning(error)
    assert str(found.kind) == kind
    assert says in found.as_text()
    assert "X-Amz-Signature" not in found.as_text()


def test_what_is_not_the_sdks_is_not_translated() -> None:
    assert fault_of(ValueError("a defect"), PLACE, OPERATIONS["PutObject"], now=NOW) is None
    own = StoreError("said already")
    assert meaning(own) is own
