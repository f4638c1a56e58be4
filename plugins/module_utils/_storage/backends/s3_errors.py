# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of S3, and the exceptions of botocore, mean (pure: the SDK is not imported).

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from typing import Any

from ..._errors import FailureKind, StoreError, printable
from .attempts import Fault
from .refusals import Operation, Refusal, connection_fault, is_busy, refused, seconds_to_wait

OPERATIONS = {
    name: Operation(name, permission)
    for name, permission in {
        "AbortMultipartUpload": "s3:AbortMultipartUpload",
        "CompleteMultipartUpload": "s3:PutObject",
        "CreateMultipartUpload": "s3:PutObject (with object_lock also s3:PutObjectRetention)",
        "DeleteObject": "s3:DeleteObject (s3:DeleteObjectVersion in a bucket that keeps versions)",
        "GetBucketVersioning": "s3:GetBucketVersioning",
        "GetObject": "s3:GetObject (and s3:ListBucket, without which a missing object is an AccessDenied)",
        "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
        "HeadObject": "s3:GetObject (and s3:ListBucket, without which a missing object is an AccessDenied)",
        "ListMultipartUploads": "s3:ListBucketMultipartUploads",
        "ListObjectVersions": "s3:ListBucketVersions",
        "ListObjectsV2": "s3:ListBucket",
        "PutObject": "s3:PutObject (with object_lock also s3:PutObjectRetention)",
        "PutObjectLegalHold": "s3:PutObjectLegalHold",
        "PutObjectRetention": "s3:PutObjectRetention",
        "UploadPart": "s3:PutObject",
    }.items()
}

_LIBRARIES = ("boto3", "botocore", "urllib3")
_WRONG_KEYS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "MissingSecurityHeader", "NotSignedUp"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired", "TokenRefreshRequired"}
_SKEWED = {"RequestTimeTooSkewed"}
_BUSY = {
    *("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling", "ThrottlingException"),
    *("RequestLimitExceeded", "RequestThrottled", "TooManyRequests", "BandwidthLimitExceeded", "OperationAborted"),
}
_DAMAGED = {"BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "InvalidDigest", "XAmzContentChecksumMismatch"}
_ELSEWHERE = {"PermanentRedirect", "Redirect", "TemporaryRedirect", "AuthorizationHeaderMalformed"}
_MISSING = {"NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound"}
_LOCKED = {"ObjectLocked", "ObjectLockedByBucketPolicy", "ObjectLegalHold"}
_NO_CREDENTIALS = {
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"),
    *("SSOTokenLoadError", "UnauthorizedSSOTokenError", "SSOError", "ProfileNotFound", "ConfigParseError"),
    *("InfiniteLoopConfigError", "UnknownCredentialError", "MetadataRetrievalError", "LoginTokenLoadError"),
}
_CHECK_KEYS = "Check store.access_key and store.secret_key, or store.profile, or the SDK's own credentials on this host"


def fault_of(error: Exception, place: str, operation: Operation, *, now: float) -> Fault | None:
    """Return what an exception means; None when it is neither botocore's nor of a library below it.

    :param place: the URL of what it was about. :param now: seconds since the epoch.
    """
    if isinstance(error, StoreError):
        return Fault(error)
    refusal = refusal_of(error)
    if refusal is not None:
        return Fault(_meaning(refusal, place, operation, now), seconds_to_wait(refusal.retry_after))
    name, library = type(error).__name__, type(error).__module__.split(".", maxsplit=1)[0]
    if name in _NO_CREDENTIALS:
        return Fault(_no_credentials(name, place, operation))
    if name == "ParamValidationError":
        return Fault(_unsendable(place, operation))
    if library in _LIBRARIES or isinstance(error, OSError):
        return Fault(connection_fault(error, place, operation))
    return None


def refusal_of(error: Exception) -> Refusal | None:
    """Return the answer that botocore's ClientError stands for; None for anything else."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    told, meta = response.get("Error") or {}, response.get("ResponseMetadata") or {}
    status, code, headers = meta.get("HTTPStatusCode"), str(told.get("Code") or ""), meta.get("HTTPHeaders") or {}
    # The answer to a HEAD has no body, and botocore puts the status in the place of the code.
    code = "" if code.isdigit() else code
    message = str(told.get("Message") or "")
    region = _region(told, headers)
    if code in _ELSEWHERE or status in (301, 307, 308):
        message = region
    return Refusal(int(status or 0), code, message, headers.get("date"), headers.get("retry-after"))


def _region(told: dict[str, Any], headers: dict[str, Any]) -> str:
    return printable(headers.get("x-amz-bucket-region") or told.get("Region") or "", 40)


def _meaning(refusal: Refusal, place: str, operation: Operation, now: float) -> StoreError:
    kind, reason, hint = _classified(refusal, operation)
    return refused(refusal, kind, reason, place, operation, now=now, hint=hint)


def _classified(refusal: Refusal, operation: Operation) -> tuple[FailureKind, str, str]:
    """Return the kind, what happened, and what to do where the kind alone does not say it."""
    status, code = refusal.status, refusal.code
    if code in _WRONG_KEYS or (status == 401 and code not in _EXPIRED):
        return (
            FailureKind.STORE_CREDENTIALS,
            "was refused: the store does not know these credentials",
            f"{_CHECK_KEYS}.",
        )
    if code in _EXPIRED:
        hint = "Get a new session token, or let the SDK's own chain do it: leave out store.session_token."
        return FailureKind.STORE_CREDENTIALS, "was refused: the session of these credentials has expired", hint
    if code in _SKEWED:
        hint = "Correct the time of this host: the store takes no signature of another time."
        return FailureKind.STORE_CREDENTIALS, "was refused: this host's clock and the store's differ", hint
    if code in _LOCKED:
        return FailureKind.STORE_LOCKED, "was refused: the object is locked or held", ""
    if code in _ELSEWHERE or status in (301, 307, 308):
        region = refusal.message
        hint = f"Set store.region to {region}." if region else "Set store.region to that of the bucket."
        return FailureKind.STORE, "was refused: the bucket is in another region", hint
    if code in _MISSING or (status == 404 and not code):
        return FailureKind.STORE_MISSING, f"failed: {_what_is_missing(code)}", ""
    if code in ("PreconditionFailed", "ConditionalRequestConflict") or status == 412:
        if operation.name in ("GetObject", "HeadObject"):
            return FailureKind.STORE, "failed: the object was replaced while it was read", "Read it again."
        return FailureKind.STORE_EXISTS, "was refused: there is something of that name", ""
    if code == "NoSuchUpload":
        hint = "Try again. Check that no lifecycle rule ends uploads so soon."
        return FailureKind.STORE, "failed: the upload is no longer there", hint
    if code in _BUSY or code in _DAMAGED or is_busy(status):
        reason = "failed: the store received other bytes than were sent" if code in _DAMAGED else "failed: it is busy"
        return FailureKind.STORE_UNAVAILABLE, reason, ""
    if code == "InvalidObjectState":
        hint = "Restore the object from its storage class first, or use a class that can be read at once."
        return FailureKind.STORE, "failed: the object is in a storage class that can't be read at once", hint
    if "ObjectLockConfiguration" in code or "ObjectLock" in refusal.message or "Object Lock" in refusal.message:
        hint = "Use a bucket that was created with object lock, or leave out store.object_lock."
        return FailureKind.STORE, "failed: the bucket has no object lock", hint
    if status == 403:
        return FailureKind.STORE_DENIED, "was refused: these credentials may not do that", ""
    if status == 405 or status == 501 or code == "NotImplemented":
        return FailureKind.STORE, "failed: this store does not have that", ""
    return (
        FailureKind.STORE,
        "failed",
        "Check the options in store, and whether store.endpoint_url is that of an S3 service.",
    )


def _what_is_missing(code: str) -> str:
    return {
        "NoSuchBucket": "there is no such bucket",
        "NoSuchVersion": "there is no such version",
        "NoSuchKey": "there is no such object",
    }.get(code, "there is no such object or bucket")


def _no_credentials(name: str, place: str, operation: Operation) -> StoreError:
    why = {
        "NoCredentialsError": "there are no credentials",
        "PartialCredentialsError": "the credentials are incomplete",
        "ProfileNotFound": "this host's AWS configuration has no such profile",
        "ConfigParseError": "this host's AWS configuration can't be read",
    }.get(name, "the SDK could not get credentials")
    return StoreError(
        f"{place}: {operation.name} failed: {why}",
        kind=FailureKind.STORE_CREDENTIALS,
        hint=f"{_CHECK_KEYS}.",
        operation=operation.name,
    )


def _unsendable(place: str, operation: Operation) -> StoreError:
    return StoreError(
        f"{place}: {operation.name} was not sent: S3 has no such bucket names, object names or settings",
        hint="Check the URL and the options in store.",
        operation=operation.name,
    )
