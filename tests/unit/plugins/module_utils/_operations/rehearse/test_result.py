# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old a rehearsed archive counts as."""

from __future__ import annotations

import time

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.result import (
    Examined,
    Progress,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import Archive, Meta
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest, Stamp

HOUR, DAY = 3_600, 86_400

# Seconds from now: taken, confirmed (None: not known); and the age.
AGES = [
    (-5 * HOUR, None, 5 * HOUR),
    (-5 * HOUR, -HOUR, HOUR),
    (-HOUR, -5 * HOUR, HOUR),
    (None, -HOUR, HOUR),
    (None, None, None),
    (10 * DAY, None, None),
    (10 * DAY, 10 * DAY, None),
    (10 * DAY, -HOUR, HOUR),
    (-HOUR, 10 * DAY, HOUR),
    (HOUR, None, 0),
]


@pytest.mark.parametrize(("taken", "confirmed", "age"), AGES)
def test_age(taken: int | None, confirmed: int | None, age: int | None) -> None:
    now = time.time()
    meta = Meta("2-3-4", 3, 2, 1, 0, None if taken is None else now + taken, ())
    progress = Progress()
    progress.examined = Examined(
        Archive(meta, None),  # type: ignore[arg-type]  # nobody looks at the state
        Digest(0, ""),
        Stamp(0, 0, 0, 0),
        ClusterIdentity(None, None, None),
        None if confirmed is None else now + confirmed,
    )
    assert progress.age == age if age is None else progress.age in (age, age + 1)
