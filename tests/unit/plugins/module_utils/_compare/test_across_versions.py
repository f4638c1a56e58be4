# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs after a restore and is no difference."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import packed

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.across_versions import (
    Baseline,
    CrossVersionCheck,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.canonical import content_of

TOKEN = 17
NOW = 1_800_000_000.0


def go_time(seconds: float) -> bytes:
    return b"\1" + (int(seconds) + 62_135_596_800).to_bytes(8, "big") + bytes(4) + b"\xff\xff"


def token(accessor: str, expires: float | None) -> Any:
    fields = {"AccessorID": accessor, "SecretID": f"secret of {accessor}", "Description": "", "Policies": []}
    if expires is not None:
        fields["ExpirationTime"] = go_time(expires)
    return content_of(TOKEN, packed(fields))


def differing(archive: list[Any], cluster: list[Any], across: bool) -> set[str]:
    learned = Baseline(across)
    for one in archive:
        learned.record(TOKEN, one)
    compared = CrossVersionCheck(learned)
    for one in cluster:
        compared.record(TOKEN, one)
    return compared.differing(NOW)


@pytest.mark.parametrize("across", [False, True], ids=["same version", "across versions"])
def test_a_token_that_has_expired_may_be_gone_or_there(across: bool) -> None:
    expired, lasting, unbounded = token("a", NOW - 60), token("b", NOW + 60), token("c", None)
    everything = [expired, lasting, unbounded]
    assert differing(everything, everything, across) == set()
    assert differing(everything, [lasting, unbounded], across) == set()
    assert differing(everything, [expired, unbounded], across) == {"ACLToken"}
    assert differing(everything, [expired, lasting], across) == {"ACLToken"}
    assert differing([lasting], everything, across) == {"ACLToken"}
