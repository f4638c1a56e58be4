# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closer look: locks of what would go, read from the store, are reasons to keep it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.look import (
    properties_of,
    retained_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.view import view_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.protocol import Properties

from .shelf import NOW, put, request


class LockingStore(LocalStore):
    """A directory that says of its files what a bucket with object lock says."""

    locks: ClassVar[dict[str, tuple[float | None, bool]]] = {}
    asked: ClassVar[list[str]] = []

    @property
    def may_lock(self) -> bool:
        """Return what a bucket with object lock says."""
        return True

    def properties(self, name: str) -> Properties:
        """Return a file's properties with the lock that a test gave it."""
        self.asked.append(name)
        until, hold = self.locks.get(name, (None, False))
        return super().properties(name)._replace(locked_until=until, legal_hold=hold)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LockingStore:
    monkeypatch.setattr(LockingStore, "locks", {})
    monkeypatch.setattr(LockingStore, "asked", [])
    for day in range(5):
        put(tmp_path, day)
    return LockingStore.at(str(tmp_path))  # type: ignore[return-value]


def test_locked_archives_stay_with_their_reason(store: LockingStore, tmp_path: Path) -> None:
    LockingStore.locks = {"d2.snap": (NOW + 60, False), "d3.snap": (NOW - 60, False), "d4.snap": (None, True)}
    asked = request(tmp_path, last=1)
    retained = retained_of(store, asked, view_of(store, asked, NOW), NOW)
    assert sorted(retained.removable) == [str(tmp_path / "d1.snap"), str(tmp_path / "d3.snap")]
    assert retained.reasons[str(tmp_path / "d2.snap")] == ("locked until 2027-01-15T08:01:00Z",)
    assert retained.reasons[str(tmp_path / "d4.snap")] == ("held: a legal hold of the store",)


def test_what_is_locked_does_not_count_as_going(store: LockingStore, tmp_path: Path) -> None:
    LockingStore.locks = {"d2.snap": (NOW + 60, False), "d3.snap": (NOW + 60, False)}
    asked = request(tmp_path, last=1, max_remove=2)
    retained = retained_of(store, asked, view_of(store, asked, NOW), NOW)
    assert retained.refused == {}
    assert sorted(retained.removable) == [str(tmp_path / "d1.snap"), str(tmp_path / "d4.snap")]


def test_only_what_would_go_is_asked_about(store: LockingStore, tmp_path: Path) -> None:
    asked = request(tmp_path, last=3)
    retained_of(store, asked, view_of(store, asked, NOW), NOW)
    assert sorted(LockingStore.asked) == ["d3.snap", "d4.snap"]


def test_what_is_gone_has_no_properties(tmp_path: Path) -> None:
    assert properties_of(LocalStore.at(str(tmp_path)), "d9.snap") is None


def test_where_nothing_can_be_locked_nothing_is_asked(
    store: LockingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LockingStore, "may_lock", False)
    asked = request(tmp_path, last=2)
    assert len(retained_of(store, asked, view_of(store, asked, NOW), NOW).removable) == 3
    assert LockingStore.asked == []
