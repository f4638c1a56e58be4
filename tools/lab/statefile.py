# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster.json: what another process needs to know of a cluster. It names the files of secrets, never a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .errors import LabError

NAME = "cluster.json"


def write_private(path: Path, text: str) -> None:
    """Write a file in one step, readable to its owner alone."""
    partial = path.with_name(f"{path.name}.partial.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    os.replace(partial, path)


def save(directory: Path, state: dict[str, Any]) -> None:
    """Write the state of a cluster."""
    write_private(directory / NAME, json.dumps(state, indent=2) + "\n")


def load(directory: Path) -> dict[str, Any]:
    """Read the state of a cluster."""
    try:
        state: dict[str, Any] = json.loads((directory / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(f"there is no cluster in {directory}: {NAME} is missing") from None
    return state
