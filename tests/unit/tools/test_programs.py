# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of apt's plan is downloaded, and how a program is started out of its directory."""

from __future__ import annotations

from pathlib import Path

from programs import main, packages

PLAN = """\
Reading package lists...
Inst libogg0 (1.3.5-3 Debian:12.15/oldstable [amd64])
Inst libc6 [2.36-9] (2.36-9+deb12u10 Debian:12.15/oldstable [amd64]) []
Inst libnss3:amd64 [2:3.87] (2:3.87.1-1+deb12u1 Debian:12.15/oldstable [amd64])
Conf libogg0 (1.3.5-3 Debian:12.15/oldstable [amd64])
"""


def test_all_that_apt_would_unpack_but_the_c_library() -> None:
    assert packages.parse_simulation(PLAN) == ["libogg0=1.3.5-3", "libnss3:amd64=2:3.87.1-1+deb12u1"]


def test_apt_writes_nowhere_else_and_runs_no_hooks() -> None:
    text = packages.apt_configuration(Path("/scratch"))
    assert 'Dir::State::Lists "/scratch/lists";' in text
    assert 'Dir::Cache "/scratch/cache";' in text
    assert "#clear APT::Update::Post-Invoke;" in text


def test_a_launcher_survives_odd_directories() -> None:
    text = main.launcher_text(Path("/a b"), Path("/a b/bin/x"), [Path("/a b/lib"), Path("/c")], fonts=True)
    assert text.startswith("#!/bin/sh\n")
    assert "export LD_LIBRARY_PATH='/a b/lib:/c'${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n" in text
    assert "FONTCONFIG_FILE='/a b/fonts.conf'" in text
    assert text.endswith("exec '/a b/bin/x' \"$@\"\n")
