# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of test files, and what is measured for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support import durations

ROOT = Path("/tests")
PARTIAL = [({"keyword": "x"}, []), ({"markexpr": "every_version"}, []), ({}, ["tests/a/test_x.py::test_one"])]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    durations.kept().parent.mkdir()
    return durations.kept()


def report(name: str, seconds: float) -> Any:
    return SimpleNamespace(fspath=str(ROOT / name), duration=seconds)


def measured(*reports: Any, partial: bool = False, code: int = pytest.ExitCode.OK) -> dict[str, float]:
    measure = durations.Measure(ROOT, partial=partial)
    for one in reports:
        measure.pytest_runtest_logreport(one)
    measure.pytest_sessionfinish(code)
    return durations.read()


def test_the_longest_goes_first_and_the_unknown_before_it() -> None:
    a, b, c, d, e = (ROOT / name for name in ("x/a.py", "x/b.py", "y/c.py", "y/d.py", "z/e.py"))
    assert durations.in_order([a, b, c, d, e], {b: 1, d: 30, e: 2.5}) == [a, c, d, e, b]


def test_directories_take_turns_where_nothing_is_known() -> None:
    names = ["x/1.py", "x/2.py", "x/3.py", "y/4.py", "z/5.py", "z/6.py"]
    files = [ROOT / name for name in names]
    ordered = [str(path.relative_to(ROOT)) for path in durations.in_order(files, {})]
    assert ordered == ["x/1.py", "y/4.py", "z/5.py", "x/2.py", "z/6.py", "x/3.py"]


def test_all_parts_of_all_tests_of_a_file_count() -> None:
    seconds = measured(
        report("x/a.py", 1.5), report("x/a.py", 2), report("y/b.py", 0.25), report("/elsewhere/other.py", 9)
    )
    assert seconds == {"x/a.py": 3.5, "y/b.py": 0.2}


def test_files_that_were_not_run_keep_their_seconds() -> None:
    measured(report("x/a.py", 1), report("y/b.py", 2))
    assert measured(report("y/b.py", 5)) == {"x/a.py": 1, "y/b.py": 5}


def test_a_run_that_failed_or_left_tests_out_says_nothing() -> None:
    assert measured(report("x/a.py", 1), code=pytest.ExitCode.TESTS_FAILED) == {}
    assert measured(report("x/a.py", 1), partial=True) == {}


@pytest.mark.parametrize(("option", "arguments"), PARTIAL)
def test_runs_that_leave_tests_out(option: dict[str, str], arguments: list[str]) -> None:
    def config(option: dict[str, str], arguments: list[str]) -> Any:
        return SimpleNamespace(option=SimpleNamespace(**{"keyword": "", "markexpr": "", **option}), args=arguments)

    assert durations.is_partial(config(option, arguments))
    assert not durations.is_partial(config({}, ["tests/integration", "tests/a/test_x.py"]))
    assert not durations.is_partial(config({"markexpr": "not nightly"}, []))


def test_what_was_measured_here_counts_before_what_the_repository_has() -> None:
    committed = durations.read(durations.COMMITTED)
    (first, seconds), *others = committed.items()
    assert durations.expected() == committed
    assert measured(report(first, seconds + 7)) == {first: seconds + 7}
    assert durations.expected() == {first: seconds + 7, **dict(others)}


def test_every_file_that_the_repository_has_seconds_for_is_there() -> None:
    missing = [
        name for name in durations.read(durations.COMMITTED) if not (durations.COMMITTED.parent / name).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": "y"}', "null"])
def test_what_is_no_measure_counts_for_nothing(text: str, cache: Path) -> None:
    cache.write_text(text, encoding="utf-8")
    assert durations.read() == {}
