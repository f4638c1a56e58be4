# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop around a proof: how long it goes on, what ends it, and what reads the archive again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.equivalence import Comparison, Reference
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ApiError,
    ArchiveError,
    SnapshotError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.proof import (
    PROOF_SECONDS,
    Prover,
    reader_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import Fingerprint
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.visitor import Visitor
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import read_pieces

EMPTY = Fingerprint({})
EQUAL, OTHER = (Comparison({"equal": equal}, EMPTY) for equal in (True, False))


def fault(kind: str, *, retryable: bool = True) -> ApiError:
    return ApiError("no", status=500, body="", url="http://127.0.0.1", kind=kind, retryable=retryable)


class Client:
    """Counts what is written to let a server take a snapshot."""

    def __init__(self) -> None:
        self.noops = 0

    def commit_noop(self, *, datacenter: str | None) -> None:
        self.noops += 1
        raise fault("permission_denied")


class Scripted(Prover):
    """A prover that finds in turn what it is told to; a clock that goes on by a second with each pause."""

    def begin(self, *found: Comparison | SnapshotError) -> Scripted:
        object.__setattr__(self, "found", list(found))
        object.__setattr__(self, "time", [0.0])
        return self

    def compare(self, client: Any, *, known: Fingerprint | None = None) -> Comparison:
        script: list[Any] = self.found  # type: ignore[attr-defined]
        found = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(found, SnapshotError):
            raise found
        assert isinstance(found, Comparison)
        return found

    def run(self, client: Any = None, **options: Any) -> tuple[Comparison, float]:
        """Return the last comparison, and after how many seconds it was made."""
        time: list[float] = self.time  # type: ignore[attr-defined]

        def pause() -> None:
            time[0] += 1

        return self.prove(client or Client(), pause=pause, clock=lambda: time[0], **options), time[0]


def script(*found: Comparison | SnapshotError) -> Scripted:
    return Scripted(Reference(EMPTY)).begin(*found)


def test_equal_content_ends_it_at_once() -> None:
    assert script(EQUAL).run() == (EQUAL, 0)


def test_what_differs_is_compared_again() -> None:
    assert script(OTHER, OTHER, EQUAL).run() == (EQUAL, 2)


def test_what_goes_on_to_differ_is_returned_when_the_time_is_up() -> None:
    assert script(OTHER).run(seconds=5) == (OTHER, 5)
    assert script(OTHER).run(seconds=500) == (OTHER, PROOF_SECONDS)
    assert script(OTHER).run(seconds=0) == (OTHER, 0)


def test_an_error_that_may_pass_is_waited_for() -> None:
    assert script(fault("no_leader"), EQUAL).run() == (EQUAL, 1)


def test_an_error_that_does_not_pass_is_raised_in_the_end() -> None:
    with pytest.raises(ApiError):
        script(fault("no_leader")).run(seconds=3)


@pytest.mark.parametrize("hopeless", [False, True])
def test_an_error_that_nothing_mends_is_raised_at_once(hopeless: bool) -> None:
    prover = script(fault("server_error", retryable=hopeless), EQUAL)
    with pytest.raises(ApiError):
        prover.run(is_hopeless=lambda error: hopeless)


def test_a_server_that_is_too_early_gets_something_to_write() -> None:
    client = Client()
    assert script(fault("too_early"), fault("no_leader"), EQUAL).run(client) == (EQUAL, 2)
    assert client.noops == 1


def test_what_the_pause_raises_ends_it() -> None:
    def dies() -> None:
        raise ZeroDivisionError

    client: Any = Client()
    with pytest.raises(ZeroDivisionError):
        script(OTHER).prove(client, pause=dies)


@pytest.fixture
def read(tmp_path: Path) -> tuple[Path, Callable[[Visitor], object]]:
    path = tmp_path / "a.snap"
    path.write_bytes(archive_around(state_of([kv("a", b"1")])))
    return path, reader_of(lambda: read_pieces(str(path)), read_archive([path.read_bytes()]).state.fingerprint)


def test_an_archive_can_be_read_as_often_as_it_takes(read: tuple[Path, Callable[[Visitor], object]]) -> None:
    for _time in range(2):
        read[1](Visitor())


def test_an_archive_that_was_changed_is_not_compared_with(read: tuple[Path, Callable[[Visitor], object]]) -> None:
    read[0].write_bytes(archive_around(state_of([kv("a", b"2")])))
    with pytest.raises(ArchiveError, match="has changed since") as raised:
        read[1](Visitor())
    assert not raised.value.retryable
