# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module says can be shown on a terminal; what it returns as data is left as it is."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.options import (
    fail,
    for_people,
    succeed,
    warn,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    MESSAGE_LIMIT,
    ArchiveError,
    FileError,
    MissingLibraryError,
    SnapshotError,
)

EVIL, SHOWN = "a\x1b[2J\n\u202eb", r"a\x1b[2J\n\u202eb"


class Module:
    """Keeps what it is told, as AnsibleModule would print it."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def fail_json(self, **told: Any) -> None:
        self.told = told
        raise SystemExit(1)

    def exit_json(self, **told: Any) -> None:
        self.told = told
        raise SystemExit(0)

    def warn(self, text: str) -> None:
        self.told["warning"] = text


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
def test_a_failure(error: Exception) -> None:
    module = Module()
    with contextlib.suppress(type(error)):
        raise error
    with pytest.raises(SystemExit):
        fail(module, error, next_steps=[EVIL], dest=EVIL)  # type: ignore[arg-type]
    assert module.told["msg"].isprintable()
    assert module.told["next_steps"] == [SHOWN]
    assert module.told["dest"] == EVIL


def test_a_success_and_a_warning() -> None:
    module = Module()
    with pytest.raises(SystemExit):
        succeed(module, summary=EVIL)  # type: ignore[arg-type]
    assert module.told == {"summary": SHOWN}
    warn(module, EVIL)  # type: ignore[arg-type]
    assert module.told["warning"] == SHOWN


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
