# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ACL policies and tokens that Consul makes by itself (pure)."""

from __future__ import annotations

from typing import Any

BUILTIN_POLICIES = (b"00000000-0000-0000-0000-000000000001", b"00000000-0000-0000-0000-000000000002")
"""``global-management`` and ``builtin/global-read-only``, by id."""

ANONYMOUS_ACCESSOR = b"00000000-0000-0000-0000-000000000002"
BOOTSTRAP = b"Bootstrap Token (Global Management)"
"""The description that ``consul acl bootstrap`` gives its token."""

_INITIAL_MANAGEMENT = (b"Initial Management Token", b"Master Token")


def comes_from_configuration(description: Any, policies: list[Any]) -> bool:
    """Whether a token of this description, with links to policies of these ids, stands in the servers' configuration.

    The leader writes it anew wherever it is missing, after a restore too: it belongs to the servers, not to the content
    (``agent/consul/leader.go``, ``initializeACLs``; observed on 1.8.7 and 1.22.7).
    """
    return description in _INITIAL_MANAGEMENT and policies == [BUILTIN_POLICIES[0]]
