# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another Consul version has no place for, in words (pure)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .._errors import printable

_LEGACY = {("ACLToken", "Rules"), ("ACLToken", "Type")}
_NAMED = 3
"""How many names a message has."""


@dataclass(frozen=True)
class Loss:
    """A field of an archive's records that the cluster's version has no place for: in ``count`` records, whose names
    begin with these."""

    type: str
    field: str
    count: int
    names: list[str]


def described(losses: Collection[Loss]) -> str:
    """Return what is lost, such as ``Rules of 1 ACLToken records is lost (NAME)``."""
    return "; ".join(_described(loss) for loss in losses)


def of_legacy_tokens(losses: Collection[Loss]) -> bool:
    """Whether the rules or types of legacy ACL tokens are among them."""
    return any((loss.type, loss.field) in _LEGACY for loss in losses)


def _described(loss: Loss) -> str:
    more = f" and {loss.count - _NAMED} more" if loss.count > _NAMED else ""
    names = ", ".join(printable(name) for name in loss.names[:_NAMED]) + more
    return f"{loss.field} of {loss.count} {loss.type} records is lost ({names})"
