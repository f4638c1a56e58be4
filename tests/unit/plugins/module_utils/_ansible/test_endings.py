# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module says can be shown on a terminal; what it returns as data is left as it is."""

from __future__ import annotations

import contextlib
import copy

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.endings import (
    failure_of,
    for_people,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.interrupts import Interrupted
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    MESSAGE_LIMIT,
    ArchiveError,
    FileError,
    MissingLibraryError,
    SnapshotError,
)

EVIL, SHOWN = "a\x1b[2J\n\u202eb", r"a\x1b[2J\n\u202eb"


def test_every_error_shows_names_escaped() -> None:
    error = SnapshotError(f"no {EVIL}", hint=f"see {EVIL}")
    assert str(error) == error.message == f"no {SHOWN}"
    assert error.as_text() == f"no {SHOWN}. see {SHOWN}"
    assert error.as_failure()["hint"] == f"see {SHOWN}"
    error.message = f"later: {EVIL}"
    assert error.as_text().isprintable()
    again = copy.copy(ArchiveError(EVIL, fault="x", hint=EVIL))
    assert (again.message, again.hint) == (SHOWN, SHOWN)


def test_a_message_has_an_end() -> None:
    assert len(SnapshotError("x" * 10**6).message) == MESSAGE_LIMIT


@pytest.mark.parametrize("error", [FileError(EVIL, path=EVIL), KeyError(EVIL)], ids=["ours", "a defect"])
def test_a_failure_in_words(error: Exception) -> None:
    with contextlib.suppress(type(error)):
        raise error
    message, failure = failure_of(error)
    assert message.isprintable()
    assert failure.get("path", EVIL) == EVIL


def test_words_and_names_of_servers_are_escaped_and_data_is_not() -> None:
    result = {
        "summary": EVIL,
        "servers": [{"name": EVIL, "version": EVIL, "id": 1}],
        "guards": [{"guard": "g", "detail": EVIL}],
        "unknown": {"health": EVIL},
        "types": {"KVS": {"names": {"added": [EVIL]}}},
        "path": EVIL,
        "nothing": None,
        "datacenters": (EVIL,),
    }
    assert for_people(result) == {
        "summary": SHOWN,
        "servers": [{"name": SHOWN, "version": SHOWN, "id": 1}],
        "guards": [{"guard": "g", "detail": SHOWN}],
        "unknown": {"health": SHOWN},
        "types": {"KVS": {"names": {"added": [EVIL]}}},
        "path": EVIL,
        "nothing": None,
        "datacenters": [SHOWN],
    }


def test_a_missing_library_is_one_short_message() -> None:
    text = MissingLibraryError("requests", "No module named 'requests'").as_text()
    assert "pip install requests" in text
    assert "ansible_python_interpreter" in text
    assert len(text) < 350


@pytest.mark.parametrize(
    ("library", "says"),
    [
        ("boto3", "Install it there (python3-boto3, or pip install boto3)"),
        ("google-cloud-storage", "Install it there (pip install google-cloud-storage)"),
    ],
)
def test_the_package_of_the_distribution_is_named_where_there_is_one(library: str, says: str) -> None:
    assert says in MissingLibraryError(library, "No module named x").hint


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        (None, "Run the task again"),
        ("nothing_sent", "Run the task again"),
        ("rejected", "Run the task again"),
        ("unknown", "look at the cluster before you do anything else"),
        ("replaced", "look at the cluster before you do anything else"),
    ],
)
@pytest.mark.parametrize("error", [Interrupted(15), KeyboardInterrupt()], ids=repr)
def test_after_a_signal_the_state_decides_what_to_do(error: BaseException, state: str | None, advice: str) -> None:
    message, failure = failure_of(error, state)
    assert message.startswith("interrupted by a signal")
    assert advice in message
    assert (failure["kind"], failure.get("state")) == ("interrupted", state)
    assert state is None or f"(the cluster: {state})" in message


def test_a_defect_names_its_place_and_not_what_it_was_about() -> None:
    with pytest.raises(KeyError) as caught:
        {}["a-secret"]
    message, failure = failure_of(caught.value, "unknown")
    assert failure["place"].startswith("_ansible/test_endings.py:")
    assert failure["place"] in message
    assert (failure["kind"], failure["state"]) == ("defect", "unknown")
    assert "a-secret" not in f"{message} {failure}"


def test_a_failure_holds_plain_texts() -> None:
    # Ansible serializes results itself and need not know subclasses of str.
    for error in (FileError("x"), Interrupted(15), ValueError()):
        with contextlib.suppress(BaseException):
            raise error
        assert failure_of(error)[1]["kind"].__class__ is str
