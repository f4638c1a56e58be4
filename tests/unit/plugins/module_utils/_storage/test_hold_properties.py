# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every hold, and for all else that may be in its place."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.hold import (
    UNKNOWN,
    Hold,
    decode_hold,
    encode_hold,
)

hypothesis = pytest.importorskip("hypothesis", reason="not among what the oldest Python is tested with")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

TIMES = st.one_of(st.none(), st.integers(0, 4_000_000_000).map(float))


@given(st.text(max_size=1000), TIMES)
def test_a_hold_is_read_as_it_was_written(reason: str, until: float | None) -> None:
    assert decode_hold(encode_hold(Hold(reason, until))) == Hold(reason, until)


@given(st.binary(max_size=200))
def test_whatever_else_is_there_holds_without_an_end(text: bytes) -> None:
    assert decode_hold(text) == UNKNOWN
