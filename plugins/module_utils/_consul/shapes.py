# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON answers as what they should be (pure). A proxy, or a server of another kind, may answer with anything."""

from __future__ import annotations

from typing import Any


def mapping_of(answer: Any) -> dict[str, Any]:
    """Return an answer that is an object; an empty one for anything else."""
    return answer if isinstance(answer, dict) else {}


def mappings_of(answer: Any) -> list[dict[str, Any]]:
    """Return the objects of an answer that is a list; none for anything else."""
    return [element for element in answer if isinstance(element, dict)] if isinstance(answer, list) else []


def text_of(value: Any) -> str:
    """Return a value that is a text; an empty one for anything else."""
    return value if isinstance(value, str) else ""
