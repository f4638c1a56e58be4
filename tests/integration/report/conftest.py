# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser, and pages to open in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.modules import collections_root

from browser.page import Browser
from env import places


def program(name: str) -> Path:
    """Return the path of a program that only tests need, got first if need be."""
    command = [str(places.CHECKOUT / "tools" / "binaries" / "get"), name]
    environment = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with Browser(program("chromium")) as ready:
        yield ready


@pytest.fixture(scope="session")
def promtool() -> Path:
    return program("promtool")


@pytest.fixture(scope="session")
def filters() -> dict[str, Any]:
    """The filters that make reports, as they are installed."""
    sys.path.insert(0, str(collections_root()))
    from ansible_collections.disaster_recovery.consul.plugins.filter import rehearsal_html, rehearsal_report

    return {**rehearsal_report.FilterModule().filters(), **rehearsal_html.FilterModule().filters()}
