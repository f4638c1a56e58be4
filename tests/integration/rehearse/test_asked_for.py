# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users ask for: assertions, targets, a time limit, and to keep what failed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from lab import binaries

from .conftest import Rehearse, Sample, SampleOf, processes_in

ODD_KEYS = ["odd/ä ö?&#%", "odd/a//b", "odd/../c", "odd/./d/", "odd/trailing "]
NEARLY = ["odd/ä ö", "odd/a/b", "c", "odd/d/", "odd/./d", "odd/trailing", "odd/%C3%A4 ö?&#%"]


def accessor_in(sample: Sample) -> str:
    return next(
        str(one["AccessorID"])
        for one in sample.source.get("/v1/acl/tokens")
        if one["Description"].startswith("lab token 0")
    )


@pytest.mark.every_version
def test_assertions_of_each_kind(sample: Sample, rehearse: Rehearse) -> None:
    key = sample.source.get("/v1/kv/?keys")[0]
    count = len(sample.source.get("/v1/kv/?keys"))
    held: list[dict[str, Any]] = [
        {"kv_key": key},
        {"kv_prefix": "lab/"},
        {"kv_prefix": "", "min_count": count, "name": "all of them"},
        {"service": "postgres"},
        {"service": "web", "name": "a service of an agent"},
        {"policy": "kv-read"},
        {"token_accessor": accessor_in(sample)},
        {"config_entry": "proxy-defaults/global"},
    ]
    missed: list[dict[str, Any]] = [
        {"kv_key": key[:-1]},
        {"kv_prefix": "nowhere/"},
        {"kv_prefix": "", "min_count": count + 1, "name": "one more"},
        {"service": "nobody"},
        {"policy": "kv"},
        {"token_accessor": "11111111-2222-3333-4444-555555555555"},
        {"config_entry": "proxy-defaults/other"},
        {"config_entry": "no-such-kind/global"},
    ]
    failed = rehearse.fails(sample.path, sample.version, assertions=[*held, *missed])
    assert [one["passed"] for one in failed["assertions"]] == [True] * len(held) + [False] * len(missed)
    assert failed["assertions"][2]["name"] == "all of them"
    assert failed["assertions"][0]["name"] == f"kv_key {key}"
    assert failed["verdict"] == "proven"
    assert f"{len(missed)} of {len(held) + len(missed)} assertions failed" in failed["msg"]
    assert f"one more ({count} keys below the root, at least {count + 1} required)" in failed["msg"]


def test_keys_of_any_spelling(sample: Sample, rehearse: Rehearse, tmp_path: Path) -> None:
    # Through a transaction: in a URL their names would not come through.
    sample.source.put("/v1/txn", [{"KV": {"Verb": "set", "Key": key, "Value": "eA=="}} for key in ODD_KEYS])
    src = tmp_path / "odd.snap"
    sample.source.cli("snapshot", "save", src)
    sample.source.put("/v1/txn", [{"KV": {"Verb": "delete", "Key": key}} for key in ODD_KEYS])
    held = [*({"kv_key": key} for key in ODD_KEYS), {"kv_prefix": "odd/a//"}, {"kv_prefix": "odd/../"}]
    lacking = [*({"kv_key": key} for key in NEARLY), {"kv_prefix": "odd/a///"}, {"kv_prefix": "../"}]
    result = rehearse.fails(src, sample.version, assertions=[*held, *lacking])

    assert [one["passed"] for one in result["assertions"]] == [True] * len(held) + [False] * len(lacking)


@pytest.mark.parametrize(
    "assertion",
    [
        {},
        {"kv_key": "a", "service": "b"},
        {"service": "b", "min_count": 2},
        {"kv_prefix": "b", "min_count": 0},
        {"config_entry": "no-name"},
        {"kv_key": ""},
    ],
    ids=str,
)
def test_assertions_that_make_no_sense(assertion: dict[str, Any], rehearse: Rehearse, calls: Any) -> None:
    options = rehearse.options(Path("/nowhere"), assertions=[assertion])
    outcome = calls._runner.run("snapshot_rehearse", **options)

    assert outcome.failed
    assert outcome.result["msg"]
    assert outcome.failure.get("kind", "option") == "option"


def test_targets_that_are_missed(sample_of: SampleOf, rehearse: Rehearse) -> None:
    src = sample_of(binaries.NEW).path
    # So that its age is more than a second, of which a target counts the whole ones.
    time.sleep(1)
    result = rehearse.fails(src, max_rto=0.01, max_age=0)

    assert result["verdict"] == "proven"
    assert [(one["name"], one["limit"], one["met"]) for one in result["targets"]] == [
        ("rto", 0.01, False),
        ("age", 0, False),
    ]
    assert result["targets"][0]["actual"] == result["rto"]["total"]
    assert "0.01 s are allowed" in result["msg"]
    looked = rehearse.fails(src, max_age=0, check=True)
    assert [one["name"] for one in looked["targets"]] == ["age"]


def test_what_failed_is_kept_on_demand(sample_of: SampleOf, rehearse: Rehearse) -> None:
    src = sample_of(binaries.NEW).path
    told = {"assertions": [{"kv_key": "nowhere"}], "keep_on_failure": True}
    result = rehearse.fails(src, **told)

    kept = Path(result["kept_dir"])
    assert kept.parent == rehearse.work_dir
    assert kept.stat().st_mode & 0o777 == 0o700
    assert "raft" in (kept / "consul.log").read_text()
    assert {one.stat().st_mode & 0o077 for one in kept.iterdir()} == {0}
    assert processes_in(rehearse.work_dir) == []
    # The next run leaves it alone.
    assert rehearse.fails(src, "/nowhere/consul")["cleared"] == []
    assert list(rehearse.work_dir.iterdir()) == [kept]


def test_the_time_limit_is_for_all_of_it(sample_of: SampleOf, rehearse: Rehearse) -> None:
    result = rehearse.fails(sample_of(binaries.NEW).path, timeout=1, keep_on_failure=True)

    assert result["verdict"] == "incomplete"
    assert "did not complete within 1 s" in result["msg"]
    assert result["kept_dir"]
