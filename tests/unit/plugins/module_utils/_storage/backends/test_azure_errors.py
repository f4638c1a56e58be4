# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure Blob Storage's answers mean."""

from __future__ import annotations

import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends import azure_errors as azure

SIGNED = "sv=2026-02-06&se=2020-01-02T03:04:05Z&sp=r&sig=verysecret"


def answer(
    status: int, code: str = "", message: str = "", *, name: str = "HttpResponseError", **headers: str
) -> Exception:
    """Return an exception as azure-core has them."""
    error = type(name, (Exception,), {"__module__": "azure.core.exceptions"})(message)
    error.status_code, error.message, error.error_code = status, message, code or None
    error.response = SimpleNamespace(headers=headers)
    return error


def meaning(error: Exception, operation: azure.Operation = azure.READ, sas: str | None = None) -> StoreError:
    """Return the error that it becomes."""
    fault = azure.fault_of(error, "az://c/x", operation, container="c", sas=sas)
    assert fault is not None
    return fault.error


@pytest.mark.parametrize(
    ("error", "operation", "kind"),
    [
        (answer(403, "AuthenticationFailed"), azure.READ, FailureKind.STORE_CREDENTIALS),
        (answer(401, "NoAuthenticationInformation"), azure.READ, FailureKind.STORE_CREDENTIALS),
        (
            answer(403, "AuthorizationFailure", "Server failed to authenticate"),
            azure.READ,
            FailureKind.STORE_CREDENTIALS,
        ),
        (answer(403, "KeyBasedAuthenticationNotPermitted"), azure.READ, FailureKind.STORE_CREDENTIALS),
        (answer(403, "AuthorizationPermissionMismatch"), azure.READ, FailureKind.STORE_DENIED),
        (answer(403, "AuthorizationFailure"), azure.READ, FailureKind.STORE_DENIED),
        (answer(403, "InsufficientAccountPermissions"), azure.LIST, FailureKind.STORE_DENIED),
        (answer(404, "BlobNotFound"), azure.READ, FailureKind.STORE_MISSING),
        (answer(404), azure.READ, FailureKind.STORE_MISSING),
        (answer(404, "ContainerNotFound"), azure.LIST, FailureKind.STORE_MISSING),
        (answer(409, "BlobAlreadyExists"), azure.COMMIT, FailureKind.STORE_EXISTS),
        (answer(412, "ConditionNotMet"), azure.COMMIT, FailureKind.STORE_EXISTS),
        (answer(400, "InvalidBlockList"), azure.COMMIT, FailureKind.STORE_EXISTS),
        (answer(403, "UnauthorizedBlobOverwrite"), azure.COMMIT, FailureKind.STORE_EXISTS),
        (answer(412, "ConditionNotMet"), azure.READ, FailureKind.STORE),
        (answer(409, "BlobImmutableDueToPolicy"), azure.DELETE, FailureKind.STORE_LOCKED),
        (answer(409, "BlobImmutableDueToLegalHold"), azure.DELETE, FailureKind.STORE_LOCKED),
        (answer(412, "LeaseIdMissing"), azure.DELETE, FailureKind.STORE_LOCKED),
        (answer(503, "ServerBusy"), azure.BLOCK, FailureKind.STORE_UNAVAILABLE),
        (answer(500, "OperationTimedOut"), azure.BLOCK, FailureKind.STORE_UNAVAILABLE),
        (answer(429), azure.BLOCK, FailureKind.STORE_UNAVAILABLE),
        (answer(400, "Md5Mismatch"), azure.BLOCK, FailureKind.STORE_UNAVAILABLE),
        (answer(501, "APINotImplemented"), azure.HOLD, FailureKind.STORE),
        (answer(400, "InvalidHeaderValue"), azure.COMMIT, FailureKind.STORE),
    ],
)
def test_answers(error: Exception, operation: azure.Operation, kind: FailureKind) -> None:
    found = meaning(error, operation)
    assert found.kind is kind
    assert operation.name in found.message


def test_an_overwrite_that_is_denied_is_not_one_that_exists() -> None:
    # It has no condition that could fail.
    assert meaning(answer(412, "ConditionNotMet"), azure.OVERWRITE).kind is FailureKind.STORE


def test_the_code_may_be_in_a_header_alone() -> None:
    error = answer(403, **{"x-ms-error-code": "AuthenticationFailed"})
    assert meaning(error).kind is FailureKind.STORE_CREDENTIALS


def test_a_sas_token_that_has_expired() -> None:
    found = meaning(answer(403, "AuthenticationFailed", SIGNED), sas=SIGNED)
    assert "the SAS token expired at 2020-01-02T03:04:05Z" in found.message
    assert "store.sas_token" in found.hint
    assert "verysecret" not in found.as_text()


def test_a_sas_token_that_is_valid_is_not_said_to_have_expired() -> None:
    found = meaning(answer(403, "AuthenticationFailed"), sas=SIGNED.replace("2020", "2999"))
    assert "expired" not in found.message


def test_a_clock_that_is_wrong() -> None:
    date = formatdate(time.time() + 1800, usegmt=True)
    found = meaning(answer(403, "AuthenticationFailed", Date=date))
    assert "29 minutes behind" in found.hint or "30 minutes behind" in found.hint


def test_a_denied_verb_names_its_permission() -> None:
    assert "SAS permission d (delete)" in meaning(answer(403, "AuthorizationPermissionMismatch"), azure.DELETE).hint


@pytest.mark.parametrize("name", ["ClientAuthenticationError", "CredentialUnavailableError", "AzureSigningError"])
def test_an_identity_that_gives_no_token(name: str) -> None:
    error = type(name, (Exception,), {"__module__": "azure.identity"})("AADSTS7000215: secret")
    found = meaning(error)
    assert found.kind is FailureKind.STORE_CREDENTIALS
    assert "secret" not in found.as_text().replace("CLIENT_SECRET", "")


def test_credentials_that_the_store_itself_refuses() -> None:
    error = answer(403, "AuthenticationFailed", name="ClientAuthenticationError")
    assert "HTTP 403, AuthenticationFailed" in meaning(error).message


def test_the_wait_that_was_asked_for() -> None:
    fault = azure.fault_of(answer(503, "ServerBusy", **{"Retry-After": "4"}), "x", azure.READ, container="c", sas=None)
    assert fault is not None
    assert fault.retry_after == 4.0


def test_connections() -> None:
    error = type("ServiceRequestError", (Exception,), {"__module__": "azure.core.exceptions"})(f"https://x/?{SIGNED}")
    error.status_code = None
    found = meaning(error)
    assert found.kind is FailureKind.STORE_UNAVAILABLE
    assert "verysecret" not in found.as_text()


def test_what_is_ours_stays_as_it_is() -> None:
    assert azure.fault_of(KeyError("x"), "az://c/x", azure.READ, container="c", sas=None) is None
