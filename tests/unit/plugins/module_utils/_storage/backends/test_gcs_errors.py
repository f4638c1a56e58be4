# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Google Cloud Storage's answers mean."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends import gcs_errors as gcs


def answer(status: int, reason: str = "", message: str = "", **headers: str) -> Exception:
    """Return an exception as google-api-core has them."""
    error = type("GoogleAPICallError", (Exception,), {"__module__": "google.api_core.exceptions"})(message)
    error.code, error.message, error.errors = status, message, [{"reason": reason}] if reason else []
    error.response = SimpleNamespace(headers=headers)
    return error


def meaning(error: Exception, operation: gcs.Operation = gcs.READ) -> StoreError:
    """Return the error that it becomes."""
    fault = gcs.fault_of(error, "gs://b/x", operation, bucket="b")
    assert fault is not None
    return fault.error


@pytest.mark.parametrize(
    ("error", "operation", "kind"),
    [
        (answer(401), gcs.READ, FailureKind.STORE_CREDENTIALS),
        (answer(403, "forbidden"), gcs.READ, FailureKind.STORE_DENIED),
        (answer(403, "rateLimitExceeded"), gcs.READ, FailureKind.STORE_UNAVAILABLE),
        (answer(403, "retentionPolicyNotMet"), gcs.DELETE, FailureKind.STORE_LOCKED),
        (answer(403, "forbidden", "Object 'b/x' is under active Temporary hold"), gcs.DELETE, FailureKind.STORE_LOCKED),
        (answer(404, "notFound", "No such object: b/x"), gcs.READ, FailureKind.STORE_MISSING),
        (answer(404, "notFound", "The specified bucket does not exist."), gcs.READ, FailureKind.STORE_MISSING),
        (answer(404, "notFound"), gcs.LIST, FailureKind.STORE_MISSING),
        (answer(412, "conditionNotMet"), gcs.CREATE, FailureKind.STORE_EXISTS),
        (answer(412, "conditionNotMet"), gcs.CREATE_LOCKED, FailureKind.STORE_EXISTS),
        (answer(412, "conditionNotMet"), gcs.RETAIN, FailureKind.STORE),
        (answer(400, "invalid"), gcs.CREATE, FailureKind.STORE),
        (answer(429), gcs.CREATE, FailureKind.STORE_UNAVAILABLE),
        (answer(503), gcs.READ, FailureKind.STORE_UNAVAILABLE),
        (answer(500), gcs.READ, FailureKind.STORE_UNAVAILABLE),
        (answer(416), gcs.READ, FailureKind.STORE),
    ],
)
def test_answers(error: Exception, operation: gcs.Operation, kind: FailureKind) -> None:
    found = meaning(error, operation)
    assert found.kind is kind
    assert found.retryable == (kind in (FailureKind.STORE_UNAVAILABLE, FailureKind.STORE_EXISTS))
    assert operation.name in found.message


def test_a_bucket_that_is_missing_is_told_from_an_object() -> None:
    assert meaning(answer(404, "notFound", "The specified bucket does not exist.")).facts["code"] == gcs.NO_BUCKET
    assert meaning(answer(404, "notFound"), gcs.CREATE).facts["code"] == gcs.NO_BUCKET
    assert meaning(answer(404, "notFound", "No such object: b/x")).facts["code"] == "notFound"


def test_a_denied_verb_names_its_permission() -> None:
    assert "storage.objects.delete" in meaning(answer(403, "forbidden"), gcs.DELETE).hint


def test_the_wait_that_was_asked_for() -> None:
    fault = gcs.fault_of(answer(429, **{"Retry-After": "4"}), "gs://b/x", gcs.READ, bucket="b")
    assert fault is not None
    assert fault.retry_after == 4.0


def of_google_auth(name: str, *, retryable: bool = False) -> Exception:
    """Return an exception as google-auth has them."""
    error = type(name, (Exception,), {"__module__": "google.auth.exceptions"})("invalid_grant: eyJhbGciOi.secret")
    error.retryable = retryable
    return error


@pytest.mark.parametrize("name", ["RefreshError", "DefaultCredentialsError", "MalformedError", "InvalidOperation"])
def test_credentials_that_give_no_token(name: str) -> None:
    found = meaning(of_google_auth(name))
    assert found.kind is FailureKind.STORE_CREDENTIALS
    assert "clock" in found.hint
    assert "secret" not in found.as_text()


def test_a_token_service_that_is_busy() -> None:
    assert meaning(of_google_auth("RefreshError", retryable=True)).kind is FailureKind.STORE_UNAVAILABLE


def test_connections() -> None:
    error = type("ConnectionError", (OSError,), {"__module__": "requests.exceptions"})("https://x/?upload_id=secret")
    found = meaning(error)
    assert found.kind is FailureKind.STORE_UNAVAILABLE
    assert "secret" not in found.as_text()


def test_what_is_ours_stays_as_it_is() -> None:
    assert gcs.fault_of(KeyError("x"), "gs://b/x", gcs.READ, bucket="b") is None
    ours = StoreError("cut", kind=FailureKind.STORE_UNAVAILABLE, retryable=True)
    assert meaning(ours) is ours
