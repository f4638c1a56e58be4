# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consul Enterprise does not start without its licence: a throwaway server is given that, and no other secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.calls import run_in

from .conftest import Sample

LICENCE = "02MV4UU43BK5HGYTOJZWFQMTMNNEWU33JJV5GG"
OTHERS = {
    "CONSUL_HTTP_TOKEN": "7f8a2c11-0b7d-4a52-9a53-2d0f5b1a7c11",
    "CONSUL_HTTP_AUTH": "somebody:something",
    "AWS_SECRET_ACCESS_KEY": "not-for-others",
}

Program = Callable[[str], Path]


@pytest.fixture
def program(sample: Sample, tmp_path: Path) -> Program:
    """Make a Consul that notes its environment, runs a line of shell, and goes on as the real one."""

    def make(line: str) -> Path:
        path = tmp_path / "consul"
        noting = f'[ "$1" != agent ] || {{ env > "{tmp_path}/seen"; {line}; }}'
        path.write_text(f'#!/bin/sh\n{noting}\nexec "{sample.source.binary}" "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return path

    return make


def test_the_licence_gets_there_and_nothing_else(
    sample: Sample, program: Program, work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {**OTHERS, "CONSUL_LICENSE": LICENCE, "CONSUL_LICENSE_PATH": "consul.hclic"}
    outcome = run_in(
        variables,
        "snapshot_rehearse",
        src=str(sample.path),
        work_dir=str(work_dir),
        consul_binary=str(program(":")),
    )
    assert not outcome.failed, outcome.result
    assert outcome.result["verdict"] == "proven"
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert seen["CONSUL_LICENSE"] == LICENCE
    # It starts in a directory of its own.
    assert seen["CONSUL_LICENSE_PATH"] == str(tmp_path / "consul.hclic")
    assert not set(seen) & set(OTHERS)
    assert LICENCE not in outcome.stdout


def test_a_licence_in_the_log_is_not_shown(sample: Sample, program: Program, work_dir: Path) -> None:
    licence = "short and with spaces"
    dying = program('printf "panic: bad licence %s \033[31m\n" "$CONSUL_LICENSE"; exit 1')
    outcome = run_in(
        {"CONSUL_LICENSE": licence},
        "snapshot_rehearse",
        src=str(sample.path),
        work_dir=str(work_dir),
        consul_binary=str(dying),
    )
    assert outcome.failed
    assert licence not in outcome.stdout
    # What a terminal would obey is escaped as well.
    assert outcome.failure["cause"]["crash_log"] == [r"panic: bad licence ******** \x1b[31m"], outcome.result
