# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read at the head of an archive, before a restore: nothing hostile in it ends in anything but an answer."""

from __future__ import annotations

import pytest
from support.archives import META, Part, archive_of, parts_of, replaced
from support.states import archive_around, kv, node, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.restore_facts import Head, read_head

GOOD = archive_around(state_of([node("db", check="serfHealth"), kv("a", b"v")]))


def head_of(archive: bytes) -> Head:
    return read_head([archive], counts={"Register": 1}, secrets={}, now=0.0)


def test_the_servers_are_those_of_the_configuration() -> None:
    assert head_of(GOOD).servers == {"an-id"}


@pytest.mark.parametrize("meta", [b"[" * 200_000, b"{}", b'{"Configuration": 7}', b"\xff"], ids=lambda meta: meta[:9])
def test_a_configuration_that_can_not_be_read_names_no_server(meta: bytes) -> None:
    assert head_of(archive_of(replaced(GOOD, META, meta))).servers == frozenset()


def test_a_member_that_is_far_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(ArchiveError, match="is too large"):
        head_of(archive_of([Part(META, bytes(2 << 20)), *parts_of(GOOD)[1:]]))
