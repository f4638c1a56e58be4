# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of a store becomes a verdict and a sentence: one row for each that matters."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations import store_verdicts as verdicts
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.store_verdicts import Check, Race
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import ObjectLock

REFUSAL = StoreError("DeleteObject is not permitted")
LOCK = ObjectLock("COMPLIANCE", 30)
ALONE = Race(4, 1)

ROWS = [
    (verdicts.wrote(None), True, "stored"),
    (verdicts.wrote(REFUSAL), False, "DeleteObject is not permitted"),
    (verdicts.read_back([]), True, "reads as it was stored"),
    (verdicts.read_back(["its size", "its bytes"]), False, "its size and its bytes"),
    (verdicts.create_only(True, True, ALONE), True, "4 writers"),
    (verdicts.create_only(False, True, ALONE), False, "a second object of the same name was accepted"),
    (verdicts.create_only(True, False, ALONE), False, "an upload in parts of the same name was accepted"),
    (verdicts.create_only(True, True, Race(4, 3)), False, "3 of 4 writers"),
    (verdicts.checksums(False), True, "refused"),
    (verdicts.checksums(True), False, "not enforced"),
    (verdicts.checksums(None), None, "no upload checksums"),
    (verdicts.atomic([]), True, "not visible before it was complete"),
    (verdicts.atomic(["an upload was visible before it was complete"]), False, "was visible before"),
    (verdicts.versioning(True), True, "keeps older versions"),
    (verdicts.versioning(False), False, "is gone"),
    (verdicts.versioning(None), None, "no versions"),
    (verdicts.lock_default(None), False, "not locked"),
    (verdicts.lock_default(LOCK), True, "for 30 days, mode COMPLIANCE"),
    (verdicts.lock_default(ObjectLock("GOVERNANCE", 1)), True, "for 1 day, mode GOVERNANCE"),
    (verdicts.lock_kept(LOCK, 1000.0, 1000.0, removed=False), True, "could not be removed"),
    (verdicts.lock_kept(LOCK, 1000.0, 1000.0, removed=True), False, "not enforced"),
    (verdicts.lock_kept(LOCK, 1000.0, 900.0, removed=False), False, "says until 1970-01-01T00:15:00Z"),
    (verdicts.lock_kept(LOCK, 1000.0, None, removed=False), False, "does not say until when"),
    (verdicts.no_lock(REFUSAL), False, "does not accept object locks"),
    (verdicts.may_overwrite(REFUSAL, kept=True), True, "could not be overwritten"),
    (verdicts.may_overwrite(None, kept=True), False, "can overwrite objects; the older version is kept"),
    (verdicts.may_overwrite(None, kept=False), False, "can overwrite objects"),
    (verdicts.may_delete(REFUSAL), True, "could not be removed: DeleteObject is not permitted"),
    (verdicts.may_delete(None), False, "can remove objects"),
    (verdicts.denied("versioning", REFUSAL), None, "not known: DeleteObject is not permitted"),
    (verdicts.not_tried("atomic", check=True), None, "check mode"),
    (verdicts.not_tried("atomic", check=False), None, "nothing can be written"),
]


@pytest.mark.parametrize(("check", "ok", "words"), ROWS, ids=[f"{row[0].name}: {row[2]}" for row in ROWS])
def test_what_was_seen_becomes_a_verdict_with_its_reason(check: Check, ok: bool | None, words: str) -> None:
    assert check.ok is ok
    assert words in check.detail


def test_every_name_has_a_verdict_of_each_kind_that_it_can_have() -> None:
    assert {row[0].name for row in ROWS} == set(verdicts.NAMES)
    assert {row[0].name for row in ROWS if row[1] is False} == set(verdicts.NAMES)


def test_what_is_required_and_not_known_is_not_met() -> None:
    checks = [Check("write", True, ""), Check("checksums", None, ""), Check("may_delete", False, "")]

    assert verdicts.missing(checks, ["may_delete", "checksums", "write"]) == checks[1:]
    assert verdicts.missing(checks, ["write"]) == []


def test_only_a_promise_that_is_not_kept_is_warned_about() -> None:
    checks = [Check(name, False, "seen") for name in verdicts.NAMES]

    assert verdicts.warnings_of(checks) == ["create_only: seen", "checksums: seen", "atomic: seen"]
    assert verdicts.warnings_of([Check(name, None, "seen") for name in verdicts.NAMES]) == []
