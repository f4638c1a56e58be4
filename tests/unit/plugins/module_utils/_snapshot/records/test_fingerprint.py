# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint's arithmetic, its text, and what it is compared with."""

from __future__ import annotations

import hashlib
import random

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.fingerprints import prove
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    DigestSum,
    Fingerprint,
    TypeDigest,
    differing_types,
    record_digest,
)

CONTENTS = [f"record {number}".encode() for number in range(500)]


def summed(contents: list[bytes]) -> TypeDigest:
    total = DigestSum()
    total.add([record_digest(content) for content in contents])
    return total.result()


def test_a_type_is_the_sum_of_its_records_digests() -> None:
    expected = sum(int.from_bytes(hashlib.sha256(content).digest()[:16], "big") for content in CONTENTS) % 2**128

    assert summed(CONTENTS) == TypeDigest(500, expected)


def test_order_and_batches_do_not_matter() -> None:
    shuffled = random.Random(1).sample(CONTENTS, len(CONTENTS))
    one_by_one, merged, rest = DigestSum(), DigestSum(), DigestSum()
    for content in shuffled:
        one_by_one.add([record_digest(content)])
    merged.add([record_digest(content) for content in shuffled[:123]])
    rest.add([record_digest(content) for content in shuffled[123:]])
    merged.merge(rest)

    assert one_by_one.result() == merged.result() == summed(CONTENTS)


@pytest.mark.parametrize(
    "other",
    [CONTENTS[1:], [*CONTENTS, b"one more"], [*CONTENTS, CONTENTS[0]], [b"changed", *CONTENTS[1:]]],
    ids=["one less", "one more", "one twice", "one changed"],
)
def test_other_content_is_another_sum(other: list[bytes]) -> None:
    assert summed(other) != summed(CONTENTS)


def test_records_that_swap_places_between_types_are_noticed() -> None:
    a, b = TypeDigest(1, 5), TypeDigest(1, 7)

    assert Fingerprint({"KVS": a, "ACLToken": b}).overall != Fingerprint({"KVS": b, "ACLToken": a}).overall


def test_the_overall_line_is_a_digest_over_the_types_in_order() -> None:
    found = Fingerprint({"KVS": TypeDigest(2, 255), "ACLToken": TypeDigest(1, 16)})
    text = f"ACLToken 1 {16:032x}\nKVS 2 {255:032x}\n"

    assert found.overall == f"v2:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def test_types_without_records_are_left_out() -> None:
    found = Fingerprint({"KVS": TypeDigest(2, 255), "Session": TypeDigest(0, 0)})

    assert found.counts == {"KVS": 2}
    assert found == Fingerprint({"KVS": TypeDigest(2, 255)})


def test_json_and_back() -> None:
    found = Fingerprint({"KVS": TypeDigest(2, 2**128 - 1), "ACLToken": TypeDigest(1, 0)})

    assert Fingerprint.from_json(found.as_json()) == found


def test_another_version_is_not_compared_with() -> None:
    document = Fingerprint({"KVS": TypeDigest(2, 255)}).as_json()
    document["overall"] = document["overall"].replace("v2:", "v9:")

    assert Fingerprint.from_json(document) is None


GOOD = Fingerprint({"KVS": TypeDigest(2, 255)}).as_json()
BAD = {
    "types changed": {**GOOD, "types": {"KVS": {"count": 3, "digest": "ff"}}},
    "type added": {**GOOD, "types": {**GOOD["types"], "ACLToken": {"count": 1, "digest": "01"}}},
    "overall changed": {**GOOD, "overall": "v2:" + "0" * 32},
    "no overall": {"types": GOOD["types"]},
    "no types": {"overall": GOOD["overall"]},
    "types of another shape": {**GOOD, "types": [1]},
    "digest that is none": {**GOOD, "types": {"KVS": {"count": 2, "digest": "xyz"}}},
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_a_document_that_contradicts_itself_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(SnapshotError):
        Fingerprint.from_json(document)


ONE = Fingerprint({"KVS": TypeDigest(2, 1), "ACLToken": TypeDigest(1, 1), "ACLRole": TypeDigest(1, 1)})
OTHER = Fingerprint({"KVS": TypeDigest(2, 2), "ACLToken": TypeDigest(1, 1), "ACLPolicy": TypeDigest(3, 1)})


def test_differing_types_are_named_in_order() -> None:
    assert differing_types(ONE, ONE) == []
    assert differing_types(ONE, OTHER) == differing_types(OTHER, ONE) == ["ACLPolicy", "ACLRole", "KVS"]


def test_fingerprints_of_two_versions_differ_in_every_type() -> None:
    older = Fingerprint(ONE.types, "v0")

    assert older != ONE
    assert differing_types(older, ONE) == ["ACLRole", "ACLToken", "KVS"]


def test_proof_lists_both_sides() -> None:
    assert prove(ONE, OTHER) == {
        "equal": False,
        "differs": ["ACLPolicy", "ACLRole", "KVS"],
        "types": {
            "ACLPolicy": {"archive": 0, "cluster": 3, "equal": False},
            "ACLRole": {"archive": 1, "cluster": 0, "equal": False},
            "ACLToken": {"archive": 1, "cluster": 1, "equal": True},
            "KVS": {"archive": 2, "cluster": 2, "equal": False},
        },
    }


def test_proof_of_equality() -> None:
    proof = prove(ONE, ONE)

    assert (proof["equal"], proof["differs"]) == (True, [])
    assert all(one["equal"] for one in proof["types"].values())
