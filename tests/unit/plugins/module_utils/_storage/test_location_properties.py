# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places hold for whatever is written."""

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import SCHEMES, parse_location

hypothesis = pytest.importorskip("hypothesis", reason="not among what the oldest Python is tested with")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

TEXTS = st.text(st.characters(codec=None), max_size=40)
URLS = st.builds("{}://{}/{}".format, st.sampled_from([*SCHEMES, "http"]), TEXTS, TEXTS)
NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,30}", fullmatch=True).filter(lambda name: name not in (".", ".."))


@given(st.one_of(TEXTS, URLS))
def test_a_text_is_a_place_or_refused(text: str) -> None:
    with contextlib.suppress(OptionError):
        place = parse_location(text, "dest")
        # What is shown leads to the same place, and what is in a bucket stays below its prefix.
        assert place.is_local or parse_location(str(place), "dest") == place
        assert "//" not in place.path or place.is_local
        assert ".." not in place.path.split("/") or place.is_local


@given(st.lists(NAMES, max_size=4), NAMES)
def test_a_store_and_a_name_make_a_place_that_splits_again(prefix: list[str], name: str) -> None:
    store = parse_location("/".join(["s3://bucket", *prefix]), "dest").as_store()
    assert store.child(name).split() == (store, name)
