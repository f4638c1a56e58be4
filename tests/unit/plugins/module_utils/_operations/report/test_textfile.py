# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a textfile collector: nothing is lost, whoever writes at the same time."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import metrics as _metrics
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.textfile import update
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._report import build_report
from browser import example


def attempted(path: str | Path, *clusters: str, **options: Any) -> Any:
    return update(str(path), **{"report": None, "backups": (), "attempted": clusters, "write": True, **options})


def clusters_in(path: Path) -> set[str]:
    return {one.cluster for one in _metrics.parse(path.read_text(encoding="utf-8"))}


def many(path: str, name: str) -> None:
    for number in range(10):
        attempted(path, f"{name}-{number}")


def test_two_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    path, names = tmp_path / "consul.prom", ("one", "two", "three")
    processes = [multiprocessing.Process(target=many, args=(str(path), name)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert clusters_in(path) == {f"{name}-{number}" for name in names for number in range(10)}
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_new_file_can_be_read_by_a_collector_and_one_that_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "consul.prom"
    umask = os.umask(0o077)
    try:
        attempted(path, "a")
        assert path.stat().st_mode & 0o7777 == 0o644
        path.chmod(0o640)
        attempted(path, "b")
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o7777 == 0o640
    assert clusters_in(path) == {"a", "b"}


@pytest.mark.parametrize(
    "text", [b"node_load1 0.5\n", b"\xff\xfe\n", b'consul_snapshot_rto_seconds{cluster="a"} inf\n']
)
def test_a_file_of_somebody_else_stays_as_it_is(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.prom"
    path.write_bytes(text)
    with pytest.raises(FileError, match="was left as it is"):
        attempted(path, "a")
    assert path.read_bytes() == text
    assert list(tmp_path.iterdir()) == [path]


def test_what_would_be_written(tmp_path: Path) -> None:
    told = attempted(tmp_path / "consul.prom", "a", write=False)
    assert (told.before, told.clusters) == ("", ["a"])
    assert _metrics.LAST_ATTEMPT in told.after
    assert list(tmp_path.iterdir()) == []


def test_names_that_no_file_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "consul.prom"
    attempted(path, "half \ud800 a pair", "ünï")
    assert "ünï" in clusters_in(path)


def test_a_report_is_read_from_its_file(tmp_path: Path) -> None:
    path, report = tmp_path / "consul.prom", tmp_path / "report.json"
    built = build_report(example.fleet(), now=from_text(example.NOW))
    report.write_text(json.dumps(built), encoding="utf-8")
    assert attempted(path, report=str(report)).clusters == sorted(one["cluster"] for one in built["clusters"])
    for odd in ("{}", "no JSON", "[" * 100_000):
        report.write_text(odd, encoding="utf-8")
        with pytest.raises(FileError, match="is not a report of rehearsals"):
            attempted(path, report=str(report))


@pytest.mark.parametrize("path", ["missing/consul.prom", "."])
def test_places_where_there_can_be_no_file(path: str, tmp_path: Path) -> None:
    with pytest.raises(FileError):
        attempted(tmp_path / path, "a")


@pytest.mark.parametrize("records", [{"KVS": 3}, {"KVS": {"size": 3}}, {"KVS": {"count": "many"}}], ids=str)
def test_an_entry_that_is_wrong_is_the_options_fault(records: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "consul.prom"
    with pytest.raises(OptionError, match=r"^backups: "):
        attempted(path, backups=[{"cluster": "a", "records": records}])
    assert not path.exists()
