# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module runs and ends in one way, whatever happens in it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible import runner
from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.runner import Run, run_module
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, SnapshotError

EVIL, SHOWN = "a\x1b[2J\n\u202eb", r"a\x1b[2J\n\u202eb"
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Module:
    """Keeps what it is given, as AnsibleModule would print it."""

    def __init__(self, **spec: Any) -> None:
        self.spec = spec
        self.params: dict[str, Any] = {"path": "/x", "token": "of-the-option", "other_token": None}
        self.check_mode, self._diff = True, False
        self.no_log_values: set[str] = set()
        self.printed: list[dict[str, Any]] = []
        self.warnings: list[str] = []

    def add_path_info(self, result: dict[str, Any]) -> dict[str, Any]:
        # As AnsibleModule does it, where there is such a file.
        if result.get("path") == "/there":
            result.update(owner="root", size=7)
        return result

    def fail_json(self, **result: Any) -> None:
        self.printed.append({"failed": True, **result})
        raise SystemExit(1)

    def exit_json(self, **result: Any) -> None:
        # What it returns is of no use to AnsibleModule either.
        self.add_path_info(result)
        self.printed.append(result)
        raise SystemExit(0)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave signals as they were."""
    kept = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Module:
    """Stands in for AnsibleModule."""
    stand_in = Module()

    def made(**spec: Any) -> Module:
        stand_in.spec = spec
        return stand_in

    monkeypatch.setattr(runner, "AnsibleModule", made)
    return stand_in


def printed(module: Module, operation: Callable[[Run], dict[str, Any]]) -> dict[str, Any]:
    """Run a module to its end and return the one thing that it prints."""
    with pytest.raises(SystemExit):
        run_module({"argument_spec": {}}, operation)
    assert len(module.printed) == 1
    return module.printed[0]


def measured(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without its timings, which must be there."""
    assert result["duration"]["total"] == result["duration"].get("work", 0)
    return {name: value for name, value in result.items() if name != "duration"}


def test_a_success(module: Module) -> None:
    def operation(run: Run) -> dict[str, Any]:
        with run.journal.phase("work"):
            run.journal.again(SnapshotError("no leader"))
        return {"summary": EVIL, "path": EVIL}

    assert measured(printed(module, operation)) == {
        "attempts": ["no leader"],
        "changed": False,
        "path": EVIL,
        "summary": SHOWN,
    }
    assert module.warnings == ["trying again: no leader"]
    assert module.spec == {"argument_spec": {}, "supports_check_mode": True}


def test_a_change(module: Module) -> None:
    assert printed(module, lambda run: {"changed": True})["changed"] is True


def test_a_warning_can_be_shown(module: Module) -> None:
    def operation(run: Run) -> dict[str, Any]:
        run.warn(EVIL)
        return {}

    printed(module, operation)
    assert module.warnings == [SHOWN]


def test_a_failure(module: Module) -> None:
    def operation(run: Run) -> dict[str, Any]:
        run.so_far = lambda: {"path": "/x", "reason": "so far", "summary": EVIL, "changed": False}
        with run.journal.phase("work"):
            run.journal.again(SnapshotError("no leader"))
            raise FileError("no room", hint="Make room.", path=EVIL)

    assert measured(printed(module, operation)) == {
        "attempts": ["no leader"],
        "changed": False,
        "failed": True,
        "failure": {"hint": "Make room.", "kind": "file", "path": EVIL},
        "msg": "no room. Make room.",
        "path": "/x",
        "reason": "so far",
        "summary": SHOWN,
    }


@pytest.mark.parametrize("number", ENDING)
def test_a_signal(module: Module, number: signal.Signals) -> None:
    cleared = []

    def operation(run: Run) -> dict[str, Any]:
        run.so_far = lambda: {"state": "unknown", "changed": True, "backup_file": "/b"}
        try:
            os.kill(os.getpid(), number)
        finally:
            cleared.append(True)
        return {}

    result = measured(printed(module, operation))
    assert cleared
    assert (result["changed"], result["backup_file"]) == (True, "/b")
    assert (result["failure"]["kind"], result["failure"]["state"]) == ("interrupted", "unknown")
    assert "state" not in result


def test_a_defect(module: Module) -> None:
    def operation(run: Run) -> dict[str, Any]:
        run.so_far = lambda: {"state": "replaced", "changed": True}
        raise ValueError("a-secret")

    result = measured(printed(module, operation))
    assert (result["changed"], result["failure"]["kind"], result["failure"]["state"]) == (True, "defect", "replaced")
    assert "a-secret" not in str(result)


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize("fails", [True, False])
def test_no_signal_interrupts_what_it_prints(module: Module, number: signal.Signals, fails: bool) -> None:
    def late(**result: Any) -> None:
        os.kill(os.getpid(), number)
        Module.exit_json(module, **result)

    module.exit_json = module.fail_json = late  # type: ignore[method-assign]

    def operation(run: Run) -> dict[str, Any]:
        if fails:
            raise FileError("no room")
        return {}

    assert printed(module, operation)


def test_secrets_are_masked_before_they_are_used(module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "connection_from", lambda params, environment: Connection())
    monkeypatch.setattr(runner, "Client", Client)
    run = Run(module)  # type: ignore[arg-type]
    client = run.client()
    assert module.no_log_values == {"of-the-connection"}
    assert run.client_with_token(client, "other_token") is client
    assert run.client_with_token(client, "token") is not client
    assert module.no_log_values == {"of-the-connection", "of-the-option"}


class Connection:
    """A connection with a secret."""

    secrets = ("of-the-connection",)


class Client:
    """A client that makes another one for another token."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def with_token(self, token: str) -> Client:
        return Client(self.connection)


def test_the_size_in_a_result_is_not_that_of_the_file_as_it_lies_there(module: Module) -> None:
    result = printed(module, lambda run: {"path": "/there", "size": 5})
    assert (result["size"], result["owner"]) == (5, "root")


def test_the_size_of_a_file_is_shown_where_the_result_has_none(module: Module) -> None:
    assert printed(module, lambda run: {"path": "/there"})["size"] == 7


def test_a_secret_key_among_the_recipients_is_masked(module: Module) -> None:
    module.params = {"encrypt_to": ["age1public", "AGE-SECRET-KEY-1ABC"]}
    run = Run(module)  # type: ignore[arg-type]
    assert run.sealing_settings().recipients == ("age1public", "AGE-SECRET-KEY-1ABC")
    assert module.no_log_values == {"AGE-SECRET-KEY-1ABC"}


def test_files_with_keys_that_others_can_read_are_warned_about(module: Module, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("x", encoding="utf-8")
    key.chmod(0o644)
    module.params = {"identity_file": str(key)}
    Run(module).sealing_settings()  # type: ignore[arg-type]
    assert [str(key) in line for line in module.warnings] == [True]
