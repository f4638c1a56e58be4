# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Learn, compare, resolve: two states that are held against each other although neither fits into memory (pure).

The first state is learned as digests. The second one is compared as it streams by. What the first one has and the
second one has not is known by its digest alone then, so the first one is read once more for its names, if there is
any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from .._snapshot.records.visitor import Visitor
from .record_diff import BaselineVisitor, Comparer, Resolver, Selection, TypeChange

Read = Callable[[Visitor], object]
"""Reads a state from its beginning to its end while the visitor looks on."""

Second = TypeVar("Second")
Comparing = TypeVar("Comparing", bound=Visitor)
Resolving = TypeVar("Resolving", bound=Visitor)


def compare_and_resolve(
    comparer: Comparing,
    *,
    read_first: Read,
    read_second: Callable[[Visitor], Second],
    resolver_of: Callable[[Second], Resolving | None],
) -> tuple[Second, Resolving | None]:
    """Let a comparer, which has learned the first state, see the second one, and then a resolver the first one again.

    :param resolver_of: gets what ``read_second`` returned; returns the resolver, None where nothing is left to resolve.
    :return: what ``read_second`` returned, and the resolver.
    """
    second = read_second(comparer)
    resolver = resolver_of(second)
    if resolver is not None:
        read_first(resolver)
    return second, resolver


def changes(
    read_first: Read,
    read_second: Callable[[Visitor], Second],
    selection: Selection,
    *,
    limit: int,
    types: Iterable[str] = (),
) -> tuple[Second, dict[str, TypeChange]]:
    """Return what ``read_second`` returned, and what differs, by type, with the first ``limit`` names of each kind.

    :param limit: 0 for numbers without names, which need no further pass.
    :param types: names of types that are part of the result even where neither state has any.
    """
    baseline = BaselineVisitor(selection)
    read_first(baseline)
    comparer = Comparer(baseline, limit)

    def resolver_of(_second: Second) -> Resolver | None:
        return Resolver(baseline, comparer.removed, limit) if limit and comparer.removed else None

    second, resolver = compare_and_resolve(
        comparer, read_first=read_first, read_second=read_second, resolver_of=resolver_of
    )
    return second, comparer.result(resolver, types)
