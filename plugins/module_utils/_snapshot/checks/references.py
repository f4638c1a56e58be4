# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References between records whose end is not in the state (pure).

Config entries are left out: they name services, peers and entries that may come later, and Consul allows that.

Names are compared without Enterprise's namespaces: whoever logs in may get a token in another one than the method's.

Memory: the ids of all policies, roles and auth methods, and one label for each of them that something refers to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._model.record_types import RecordType

TOKEN, POLICY, ROLE = RecordType.ACL_TOKEN, RecordType.ACL_POLICY, RecordType.ACL_ROLE
BINDING_RULE, AUTH_METHOD = RecordType.ACL_BINDING_RULE, RecordType.ACL_AUTH_METHOD


class References:
    """Collects what ACL records refer to, and what there is. Both come in any order."""

    def __init__(self) -> None:
        # By finding, type and id (or name) of what is referred to: how often, and the first label that says by whom.
        self._wanted: dict[tuple[str, int, bytes], tuple[int, bytes]] = {}
        self._there: set[tuple[int, bytes]] = set()

    def record(self, type_id: int, fields: Mapping[bytes, Any], label: bytes) -> None:
        """Look at an ACL record; ``label`` is what people are shown of it.

        :raises TypeError, KeyError, AttributeError: it is of a shape that is not known.
        """
        if type_id in (POLICY, ROLE):
            self._there.add((type_id, _known(fields[b"ID"])))
        elif type_id == AUTH_METHOD:
            self._there.add((type_id, _known(fields[b"Name"])))
        elif type_id == BINDING_RULE:
            self._want("binding_rule_without_method", AUTH_METHOD, fields[b"AuthMethod"], label)
        if type_id == TOKEN:
            method = fields.get(b"AuthMethod")
            if method:
                self._want("token_without_method", AUTH_METHOD, method, b"%s of auth method %s" % (label, method))
            self._links(b"token " + label, fields, (b"Policies", POLICY), (b"Roles", ROLE))
        elif type_id == ROLE:
            self._links(b"role " + label, fields, (b"Policies", POLICY))

    def _links(self, label: bytes, fields: Mapping[bytes, Any], *kinds: tuple[bytes, int]) -> None:
        for field, target in kinds:
            for link in fields.get(field) or ():
                self._want("acl_link_missing", target, link[b"ID"], label)

    def _want(self, finding: str, target: int, name: Any, label: bytes) -> None:
        key = (finding, target, _known(name))
        count, first = self._wanted.get(key, (0, label))
        self._wanted[key] = (count + 1, min(first, label))

    def missing(self) -> Iterable[tuple[str, bytes, int]]:
        """Yield the name of a finding, what refers first to something that is not there, and how often that happens."""
        for (finding, target, name), (count, label) in self._wanted.items():
            if (target, name) not in self._there:
                yield finding, label, count


def _known(name: Any) -> bytes:
    if not isinstance(name, bytes):
        raise TypeError("an id or a name is not text")
    return name.lower()
