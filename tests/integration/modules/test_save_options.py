# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_save: what its options make of what lies at ``dest`` already."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.archives import Part, archive_of
from support.calls import Calls
from support.scene import archives_in, contents, manifest_of

from lab import Cluster
from lab.comparison import compare, losses, table
from lab.oracle import observe

Inspect = Callable[..., dict[str, Any]]


@pytest.fixture
def kept(seeded: Cluster, calls: Calls, tmp_path: Path) -> Path:
    """An archive of the seeded cluster in a directory of its own."""
    return Path(calls.ok(seeded, "snapshot_save", dest=str(tmp_path))["dest"])


def test_the_directory_is_created(seeded: Cluster, calls: Calls, tmp_path: Path) -> None:
    above, there = tmp_path / "new", tmp_path / "there"
    there.mkdir(mode=0o755)
    options = {"dest": f"{above}/below/", "create_directory": True}

    checked = calls.ok(seeded, "snapshot_save", **options, check=True)
    assert checked["changed"]
    calls.fails(seeded, "snapshot_save", "permission_denied", **{**options, "token": "anonymous"})
    assert not above.exists()

    saved = calls.ok(seeded, "snapshot_save", **options)
    assert (saved["changed"], saved["reason"]) == (True, checked["reason"])
    assert Path(saved["dest"]).parent == above / "below"
    assert [path.stat().st_mode & 0o7777 for path in (above, above / "below")] == [0o700, 0o700]
    assert not calls.ok(seeded, "snapshot_save", **options)["changed"]

    calls.ok(seeded, "snapshot_save", dest=str(there / "a.snap"), create_directory=True)
    assert there.stat().st_mode & 0o7777 == 0o755


def changed_manifest(archive: Path, **changes: Any) -> None:
    """Make a manifest say something else."""
    path = manifest_of(archive)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def ago(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


# Options, age of the archive in seconds, changed, beginning of the reason.
OPTIONS = [
    ({"force": True}, 0, True, "it was forced"),
    ({"force": True, "max_age": 1000}, 0, True, "it was forced"),
    ({"skip_unchanged": False}, 0, True, "the content is still that of index"),
    ({"skip_unchanged": True}, 0, False, "the content is still that of index"),
    ({"max_age": 1000}, 500, False, "the archive of index"),
    ({"max_age": 1000}, 1001, False, "the content is still that of index"),
    ({"max_age": 1000, "skip_unchanged": False}, 500, False, "the archive of index"),
    ({"max_age": 1000, "skip_unchanged": False}, 1001, True, "the content is still that of index"),
    ({"max_age": 1000, "skip_unchanged": False}, -500, True, "the content is still that of index"),
]


@pytest.mark.parametrize(("options", "age", "changed", "reason"), OPTIONS, ids=str)
def test_options_and_age(
    options: dict[str, Any], age: float, changed: bool, reason: str, kept: Path, seeded: Cluster, calls: Calls
) -> None:
    changed_manifest(kept, confirmed_at=ago(age))
    before = contents(kept.parent)
    checked = calls.ok(seeded, "snapshot_save", dest=str(kept.parent), check=True, **options)
    assert contents(kept.parent) == before
    # Otherwise a second archive of one second and index would take the place of the first.
    time.sleep(1.05 if changed else 0)
    result = calls.ok(seeded, "snapshot_save", dest=str(kept.parent), **options)

    assert (result["changed"], checked["changed"]) == (changed, changed)
    assert result["reason"].startswith(reason)
    assert len(archives_in(kept.parent)) == (4 if changed else 2)
    assert (result["dest"] == str(kept)) is not changed


def test_max_age_asks_for_no_snapshot(kept: Path, seeded: Cluster, calls: Calls) -> None:
    result = calls.ok(seeded, "snapshot_save", dest=str(kept.parent), max_age=1000)

    # Nothing was taken, so nothing is known of the one that would have answered, and nothing is confirmed anew.
    assert "known_leader" not in result
    assert "last_contact_ms" not in result
    assert result["index"] == json.loads(manifest_of(kept).read_text())["meta"]["index"]


def test_max_age_counts_from_the_last_confirmation(kept: Path, seeded: Cluster, calls: Calls) -> None:
    changed_manifest(kept, taken_at=ago(9000), confirmed_at=ago(9000))
    assert not calls.ok(seeded, "snapshot_save", dest=str(kept.parent))["changed"]

    result = calls.ok(seeded, "snapshot_save", dest=str(kept.parent), max_age=1000)
    assert result["reason"].startswith("the archive of index")
    assert result["taken_at"] < result["confirmed_at"]


@pytest.mark.parametrize("options", [{}, {"max_age": 1000}], ids=str)
def test_an_archive_that_was_damaged_counts_for_nothing(
    options: dict[str, Any], kept: Path, seeded: Cluster, calls: Calls
) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-20] + bytes(20))
    time.sleep(1.05)
    result = calls.ok(seeded, "snapshot_save", dest=str(kept.parent), **options)

    assert (result["changed"], result["reason"]) == (True, "the newest archive is damaged")
    assert result["dest"] != str(kept)


@pytest.mark.parametrize("length", [0, 50_000])
def test_a_cut_archive_at_dest_is_replaced(
    length: int, kept: Path, seeded: Cluster, calls: Calls, inspect: Inspect
) -> None:
    kept.write_bytes(kept.read_bytes()[:length])
    result = calls.ok(seeded, "snapshot_save", dest=str(kept))

    assert result["changed"]
    assert inspect(kept)["Meta"]["Index"] == result["index"]


def test_an_archive_without_a_manifest_is_known_by_its_content(kept: Path, seeded: Cluster, calls: Calls) -> None:
    manifest_of(kept).unlink()
    result = calls.ok(seeded, "snapshot_save", dest=str(kept))

    # As a file it is there to be compared with; from then on it has a manifest.
    assert not result["changed"]
    assert json.loads(manifest_of(kept).read_text())["archive"]["sha256"] == result["sha256"]


@pytest.mark.parametrize("described", [True, False], ids=["with manifest", "without manifest"])
def test_another_clusters_archive_is_not_replaced(
    described: bool, kept: Path, playground: Cluster, calls: Calls, inspect: Inspect
) -> None:
    if not described:
        manifest_of(kept).unlink()
    before = contents(kept.parent)
    for check in (True, False):
        result = calls.fails(playground, "snapshot_save", "dest", dest=str(kept), check=check)
        assert "force" in result["failure"]["hint"]
        assert contents(kept.parent) == before

    result = calls.ok(playground, "snapshot_save", dest=str(kept), force=True)
    assert result["changed"]
    assert inspect(kept)["Meta"]["Index"] == result["index"]
    assert result["cluster"]["id"] == (playground.trust_domain() or "").partition(".")[0]
    assert json.loads(manifest_of(kept).read_text())["cluster"] == result["cluster"]


def test_other_clusters_in_a_directory_are_left_alone(
    kept: Path, playground: Cluster, seeded: Cluster, calls: Calls
) -> None:
    theirs = contents(kept.parent)
    ours = calls.ok(playground, "snapshot_save", dest=str(kept.parent))

    assert (ours["changed"], ours["reason"]) == (True, "there was no archive of this cluster")
    assert not calls.ok(playground, "snapshot_save", dest=str(kept.parent))["changed"]
    assert {name: data for name, data in contents(kept.parent).items() if name in theirs} == theirs
    # And the newest archive of the directory, which is not theirs, does not stand in for theirs.
    assert calls.ok(seeded, "snapshot_save", dest=str(kept.parent))["dest"] == str(kept)


FOREIGN = {
    "text": b"precious notes\n",
    "a log in gzip": gzip.compress(b"a line of a log\n" * 1000),
    "a short one": gzip.compress(b"a line of a log\n"),
    "a directory in tar and gzip": archive_of([Part("etc/consul.hcl", b"server = true")]),
    "an HTML page": b"<html>",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_archive_is_not_replaced(
    content: bytes, seeded: Cluster, calls: Calls, tmp_path: Path
) -> None:
    dest = tmp_path / "precious"
    dest.write_bytes(content)
    for check in (True, False):
        result = calls.fails(seeded, "snapshot_save", "dest", dest=str(dest), check=check)
        assert result["failure"]["path"] == str(dest)
        assert contents(tmp_path) == {"precious": content}

    assert calls.ok(seeded, "snapshot_save", dest=str(dest), force=True)["changed"]
    assert dest.read_bytes() != content


REFUSED = [
    ({"max_stale": 5}, "option", "stale"),
    ({"stale": True, "max_stale": -1}, "option", "max_stale"),
    ({"max_age": -1}, "option", "max_age"),
    ({"timeout": 0}, "option", "timeout"),
    ({"dest": "/nowhere/at/all/a.snap"}, "file", "/nowhere/at/all"),
    ({"dest": "/nowhere/at/all/"}, "file", "/nowhere/at/all"),
    ({"datacenter": "dc9", "retries": 0}, "unknown_datacenter", "datacenter"),
    ({"token": "11111111-2222-3333-4444-555555555555"}, "token_unknown", "token"),
    ({"token": None}, "permission_denied", "token"),
]


@pytest.mark.parametrize(("options", "kind", "words"), REFUSED, ids=str)
def test_what_cannot_be_done_is_refused_with_a_hint(
    options: dict[str, Any], kind: str, words: str, seeded: Cluster, calls: Calls, tmp_path: Path
) -> None:
    for check in (True, False):
        result = calls.fails(seeded, "snapshot_save", kind, **{"dest": str(tmp_path), "check": check, **options})
        assert words in result["msg"] or words in result["failure"].get("url", "")
        assert result["failure"]["hint"]
        assert contents(tmp_path) == {}


@pytest.mark.every_version
def test_the_real_cli_restores_what_was_saved(
    golden: Any, fresh: Callable[..., Cluster], tmp_path: Path, inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = shutil.copy(golden.path, tmp_path / "copy.snap")
    assert inspect(archive)["Meta"]["Index"] == golden.result["index"]

    target = fresh()
    target.cli("snapshot", "restore", archive)
    # The archive's tokens are in force now, that of the source's configuration among them.
    monkeypatch.setattr(target, "token_file", golden.source.token_file)
    target.wait_ready()

    rows = compare(golden.seen, observe(target))
    assert not losses(rows), table(rows)
