# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of Azure Blob Storage, and the exceptions of its SDK, mean (pure: the SDK is not imported).

https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

from __future__ import annotations

import time

from ..._errors import FailureKind, StoreError
from ..._times import to_text
from .attempts import Fault
from .refusals import Operation, Refusal, connection_fault, is_busy, refused, seconds_to_wait
from .sas import expiry_of

# The permissions of a SAS token, and the role that has the same.
BLOCK = Operation("Put Block", "the SAS permission w (write), or the role Storage Blob Data Contributor")
COMMIT = Operation("Put Block List", BLOCK.permission)
COMMIT_LOCKED = Operation("Put Block List", "the SAS permissions w (write) and i (set immutability policy)")
OVERWRITE = Operation("Put Blob, overwriting", "the SAS permission w (write)")
READ = Operation("Get Blob", "the SAS permission r (read), or the role Storage Blob Data Reader")
LIST = Operation("List Blobs", "the SAS permission l (list) of the container, or the role Storage Blob Data Reader")
DELETE = Operation("Delete Blob", "the SAS permission d (delete), or the role Storage Blob Data Contributor")
DELETE_VERSION = Operation("Delete Blob, a version", "the SAS permission x (delete version)")
RETAIN = Operation("Set Blob Immutability Policy", "the SAS permission i (set immutability policy)")
HOLD = Operation("Set Blob Legal Hold", RETAIN.permission)
CONTAINER = Operation("Get Container Properties", "the SAS permission r (read) of the container")
SERVICE = Operation("Get Blob Service Properties", "a SAS of the account, or the role Storage Account Contributor")
SIGN_IN = Operation("sign-in", "an identity")

NO_CONTAINER = ("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled")

_CREATING = {BLOCK.name, COMMIT.name}
_AUTHENTICATION = {"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"}
_KEY_OFF = "KeyBasedAuthenticationNotPermitted"
_EXISTS = {"BlobAlreadyExists", "ResourceAlreadyExists", "UnauthorizedBlobOverwrite"}
_LOCKED_WORDS = ("Immutable", "LegalHold", "Lease", "SnapshotsPresent")
_BUSY = {"ServerBusy", "OperationTimedOut", "InternalError", "IngressExceedsAccountLimit"}
_NO_CREDENTIALS = {"ClientAuthenticationError", "CredentialUnavailableError", "AzureSigningError"}
_LIBRARIES = ("azure", "requests", "urllib3", "msal")
_CHECK = "Check store.account_key, store.sas_token or store.connection_string, and that they are of this account."


def fault_of(error: Exception, place: str, operation: Operation, *, container: str, sas: str | None) -> Fault | None:
    """Return what an exception means; None when it is not the SDK's, nor one of the libraries below it.

    :param place: the URL of what it was about. :param sas: the token that was used; only its times are looked at.
    """
    if isinstance(error, StoreError):
        return Fault(error)
    refusal = refusal_of(error)
    name = type(error).__name__
    if name in _NO_CREDENTIALS and (refusal is None or not refusal.code):
        return Fault(_no_identity(name, place, operation))
    if refusal is not None:
        return Fault(_meaning(refusal, place, operation, container, sas), seconds_to_wait(refusal.retry_after))
    if type(error).__module__.split(".", maxsplit=1)[0] in _LIBRARIES or isinstance(error, OSError):
        return Fault(connection_fault(error, place, operation))
    return None


def refusal_of(error: Exception) -> Refusal | None:
    """Return the answer that an exception of azure-core stands for."""
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if not isinstance(status, int) or response is None or status < 300:
        return None
    headers = getattr(response, "headers", None) or {}
    code = getattr(error, "error_code", None) or headers.get("x-ms-error-code") or ""
    code = getattr(code, "value", code)
    return Refusal(
        status, str(code), str(getattr(error, "message", "")), headers.get("Date"), headers.get("Retry-After")
    )


def _no_identity(name: str, place: str, operation: Operation) -> StoreError:
    why = "the account key is not one" if name == "AzureSigningError" else "no access token was given"
    return StoreError(
        f"{place}: {operation.name} failed: {why}",
        kind=FailureKind.STORE_CREDENTIALS,
        hint="Set store.account_key, store.sas_token or store.connection_string, or give this host an identity "
        "(AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or a managed identity).",
        operation=operation.name,
    )


def _meaning(refusal: Refusal, place: str, operation: Operation, container: str, sas: str | None) -> StoreError:
    kind, reason, hint = _verdict(refusal, operation, container)
    now = time.time()
    if kind is FailureKind.STORE_CREDENTIALS:
        expiry = expiry_of(sas)
        if expiry is not None and expiry <= now:
            reason, hint = f"was refused: the SAS token expired at {to_text(expiry)}", "Set a new store.sas_token."
    return refused(refusal, kind, reason, place, operation, now=now, hint=hint)


def _verdict(refusal: Refusal, operation: Operation, container: str) -> tuple[FailureKind, str, str]:
    status, code = refusal.status, refusal.code
    if is_busy(status) or code in _BUSY:
        throttled = status == 429 or code in ("ServerBusy", "IngressExceedsAccountLimit")
        return FailureKind.STORE_UNAVAILABLE, "was throttled" if throttled else "failed", ""
    if code == _KEY_OFF:
        reason = "was refused: the account takes no keys"
        return FailureKind.STORE_CREDENTIALS, reason, "Remove store.account_key, and give this host an identity."
    # Azurite says AuthorizationFailure of a wrong key, with a text of its own.
    if status == 401 or code in _AUTHENTICATION or (status == 403 and "failed to authenticate" in refusal.message):
        return FailureKind.STORE_CREDENTIALS, "was refused: the credentials are not valid now", _CHECK
    if any(word in code for word in _LOCKED_WORDS):
        return FailureKind.STORE_LOCKED, "was refused: the blob is locked or held", ""
    if code in _EXISTS or (operation.name in _CREATING and (status == 412 or code == "InvalidBlockList")):
        return FailureKind.STORE_EXISTS, "was refused: there is a blob of that name", ""
    if status == 403:
        return FailureKind.STORE_DENIED, "was denied", ""
    if code in NO_CONTAINER:
        return FailureKind.STORE_MISSING, f"failed: there is no container {container}", "Containers are not created."
    if status == 404:
        return FailureKind.STORE_MISSING, "failed: there is no such blob", ""
    if status == 412:
        return FailureKind.STORE, "failed: the blob has changed meanwhile", "Try again."
    # Azurite says InvalidOperation.
    if code in ("Md5Mismatch", "Crc64Mismatch") or (operation.name == BLOCK.name and code == "InvalidOperation"):
        return FailureKind.STORE_UNAVAILABLE, "was refused: the bytes were damaged on their way", "Try again."
    if status == 501 or code in ("FeatureNotSupported", "NotImplemented", "APINotImplemented"):
        return FailureKind.STORE, "failed: the store has no such feature", "Use the store without it."
    return FailureKind.STORE, "failed", ""
