# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of Google Cloud Storage, and the exceptions of its SDK, mean (pure: the SDK is not imported).

https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from __future__ import annotations

import time

from ..._errors import FailureKind, StoreError
from .attempts import Fault
from .refusals import Operation, Refusal, connection_fault, is_busy, refused, seconds_to_wait

CREATE = Operation("objects.insert", "storage.objects.create")
CREATE_LOCKED = Operation("objects.insert", "storage.objects.create and storage.objects.setRetention")
OVERWRITE = Operation("objects.insert", "storage.objects.create and storage.objects.delete")
READ = Operation("objects.get", "storage.objects.get")
LIST = Operation("objects.list", "storage.objects.list")
DELETE = Operation("objects.delete", "storage.objects.delete")
RETAIN = Operation("objects.patch", "storage.objects.update and storage.objects.setRetention")
HOLD = Operation("objects.patch", "storage.objects.update")
BUCKET = Operation("buckets.get", "storage.buckets.get")

SIGN_IN = Operation("sign-in", "")

NO_BUCKET = "noSuchBucket"
"""The code of a StoreError that is about the bucket, not about an object in it."""

_THROTTLED = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}
_LOCKED = {"retentionPolicyNotMet", "objectUnderActiveHold", "objectHoldNotReleased", "objectRetentionNotMet"}
_NO_CREDENTIALS = ("RefreshError", "DefaultCredentialsError", "MalformedError", "InvalidOperation")
_ON_BUCKETS = {CREATE.name, LIST.name, BUCKET.name}
"""Where only the bucket can be missing."""
_LIBRARIES = ("google", "requests", "urllib3")
_CREDENTIALS = (
    "Check store.credentials_file, or GOOGLE_APPLICATION_CREDENTIALS, or the service account of this host, and this "
    "host's clock: Google refuses a key whose times are in the past or the future."
)


def fault_of(error: Exception, place: str, operation: Operation, *, bucket: str) -> Fault | None:
    """Return what an exception means; None when it is not the SDK's, nor one of the libraries below it.

    :param place: the URL of what it was about. :param bucket: its bucket.
    """
    if isinstance(error, StoreError):
        return Fault(error)
    refusal = refusal_of(error)
    if refusal is not None:
        return Fault(_meaning(refusal, place, operation, bucket), seconds_to_wait(refusal.retry_after))
    library = type(error).__module__.split(".", maxsplit=1)[0]
    if library == "google" and type(error).__name__ in _NO_CREDENTIALS:
        return Fault(_no_credentials(error, place, operation))
    if library in _LIBRARIES or isinstance(error, OSError):
        return Fault(connection_fault(error, place, operation))
    return None


def refusal_of(error: Exception) -> Refusal | None:
    """Return the answer that an exception of google-api-core stands for."""
    code = getattr(error, "code", None)
    if not isinstance(code, int):
        return None
    listed = getattr(error, "errors", None)
    first = listed[0] if isinstance(listed, (list, tuple)) and listed else {}
    reason = first.get("reason", "") if isinstance(first, dict) else ""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    message = getattr(error, "message", "")
    return Refusal(int(code), str(reason), str(message), headers.get("Date"), headers.get("Retry-After"))


def _no_credentials(error: Exception, place: str, operation: Operation) -> StoreError:
    if getattr(error, "retryable", False):
        return StoreError(
            f"{place}: {operation.name} failed: Google's token service is busy",
            kind=FailureKind.STORE_UNAVAILABLE,
            hint="Try again later.",
            retryable=True,
            operation=operation.name,
        )
    missing = type(error).__name__ == "DefaultCredentialsError"
    why = "there are no usable credentials" if missing else "no access token was given for these credentials"
    return StoreError(
        f"{place}: {operation.name} failed: {why}",
        kind=FailureKind.STORE_CREDENTIALS,
        hint=_CREDENTIALS,
        operation=operation.name,
    )


def _meaning(refusal: Refusal, place: str, operation: Operation, bucket: str) -> StoreError:
    kind, reason, hint = FailureKind.STORE, "failed", ""
    if is_busy(refusal.status) or refusal.code in _THROTTLED:
        kind = FailureKind.STORE_UNAVAILABLE
        reason = "was throttled" if refusal.status == 429 or refusal.code in _THROTTLED else "failed"
    elif refusal.status == 401:
        kind, reason, hint = FailureKind.STORE_CREDENTIALS, "was refused: the credentials are not valid", _CREDENTIALS
    elif refusal.status == 403 and (refusal.code in _LOCKED or _speaks_of_lock(refusal.message)):
        kind, reason = FailureKind.STORE_LOCKED, "was refused: the object is locked or held"
    elif refusal.status == 403:
        kind, reason = FailureKind.STORE_DENIED, "was denied"
    elif refusal.status == 404 and (operation.name in _ON_BUCKETS or _speaks_of_bucket(refusal.message)):
        kind, reason = FailureKind.STORE_MISSING, f"failed: there is no bucket {bucket}"
        refusal = refusal._replace(code=NO_BUCKET)
        hint = "Check the URL. Buckets are not created."
    elif refusal.status in (404, 410):
        kind, reason = FailureKind.STORE_MISSING, "failed: there is no such object"
    elif refusal.status in (409, 412) and operation.name == CREATE.name:
        kind, reason = FailureKind.STORE_EXISTS, "was refused: there is an object of that name"
    elif refusal.status in (409, 412):
        reason, hint = "failed: the object has changed meanwhile", "Try again."
    elif refusal.status == 400 and operation.name == CREATE.name:
        hint = "The store did not accept the upload: the checksum is wrong, or a setting of the option store is."
    return refused(refusal, kind, reason, place, operation, now=time.time(), hint=hint)


def _speaks_of_lock(message: str) -> bool:
    return any(word in message.lower() for word in ("retention", "active hold", "event-based hold", "temporary hold"))


def _speaks_of_bucket(message: str) -> bool:
    lowered = message.lower()
    return "bucket does not exist" in lowered or "no such bucket" in lowered
