# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two fingerprints as a proof: what is equal, and what isn't."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.fingerprints import prove
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)


def of(**types: tuple[int, int]) -> Fingerprint:
    return Fingerprint({name: TypeDigest(*digest) for name, digest in types.items()})


def row(archive: int, cluster: int, equal: bool) -> dict[str, object]:
    return {"archive": archive, "cluster": cluster, "equal": equal}


def test_equal_content() -> None:
    assert prove(of(KVS=(2, 7)), of(KVS=(2, 7))) == {"equal": True, "differs": [], "types": {"KVS": row(2, 2, True)}}


def test_no_content_at_all() -> None:
    assert prove(of(), of()) == {"equal": True, "differs": [], "types": {}}


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        # The same number of other records.
        ({"KVS": (2, 8), "ACLToken": (1, 1)}, {"KVS": row(2, 2, False), "ACLToken": row(1, 1, True)}),
        ({"KVS": (3, 7), "ACLToken": (1, 1)}, {"KVS": row(2, 3, False), "ACLToken": row(1, 1, True)}),
        ({"ACLToken": (1, 1)}, {"KVS": row(2, 0, False), "ACLToken": row(1, 1, True)}),
        (
            {"KVS": (2, 7), "ACLToken": (1, 1), "ACLRole": (4, 4)},
            {"KVS": row(2, 2, True), "ACLToken": row(1, 1, True), "ACLRole": row(0, 4, False)},
        ),
    ],
)
def test_content_that_differs(cluster: dict[str, tuple[int, int]], expected: dict[str, dict[str, object]]) -> None:
    proof = prove(of(KVS=(2, 7), ACLToken=(1, 1)), of(**cluster))

    assert proof["types"] == expected
    assert list(proof["types"]) == sorted(expected)
    assert proof["differs"] == [name for name, one in expected.items() if not one["equal"]]
    assert proof["equal"] is False
