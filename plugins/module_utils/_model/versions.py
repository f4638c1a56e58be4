# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of Consul as servers write them: ``1.22.7``, ``1.22.7-rc1``, ``1.22.7+ent``, ``1.8.7+ent.hsm``.

Archives and members are where they come from, so each function has an answer for any text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

Series = tuple[int, int]
"""The first two numbers of a version: releases of one series read each other's archives."""

OrderKey = tuple[tuple[int, ...], bool, str]

_NUMBER = re.compile("[0-9]{1,9}")
_PARTS = 8
"""Numbers of a version that count in its order."""


def build_of(version: str) -> str:
    """Return ``1.22.7-rc1`` for ``1.22.7-rc1+ent``: the version without its edition."""
    return version.partition("+")[0]


def series_of(version: str) -> Series | None:
    """Return ``(1, 22)`` for ``1.22.7+ent``; None when it is no version."""
    numbers = build_of(version).partition("-")[0].split(".")
    if len(numbers) < 2 or not all(_NUMBER.fullmatch(number) for number in numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def is_enterprise(version: str) -> bool:
    """Whether a version is of Consul Enterprise. A member's build, ``1.22.7+ent:a1b2c3d4``, is taken as well."""
    edition = version.partition(":")[0].partition("+")[2]
    return edition.split(".")[0] == "ent"


def is_across(archive: str | None, targets: Collection[str]) -> bool:
    """Whether an archive is known to come from another version than any of the servers runs."""
    return archive is not None and any(build_of(archive) != build_of(target) for target in targets)


def order_key(version: str) -> OrderKey:
    """Return a key that orders versions: ``1.22.7`` after ``1.8.7``, a release after its own candidates.

    The edition does not count. What is no number in a version is left out.
    """
    release, _sign, candidate = build_of(version).partition("-")
    numbers = tuple(int(part) for part in release.split(".")[:_PARTS] if _NUMBER.fullmatch(part))
    return numbers, not candidate, candidate
