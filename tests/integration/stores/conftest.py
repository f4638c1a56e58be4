# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real object stores, started when a test first asks for them, for all tests of a worker."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import stores
from support.modules import collections_root

# The code under test runs in the test's own process here, below its full name.
sys.path.insert(0, str(collections_root()))
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Return a running server of a name, the same one each time."""
    running: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:

        def find(name: str, **options: Any) -> Any:
            key = f"{name}-{sorted(options.items())}"
            if key not in running:
                running[key] = stack.enter_context(stores.running(name, tmp_path_factory.mktemp(name), **options))
            return running[key]

        yield find
