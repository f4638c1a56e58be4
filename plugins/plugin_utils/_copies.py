# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the copies of an archive in further stores (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..module_utils._errors import printable


def copies_of(
    places: Sequence[str], results: Iterable[Mapping[str, Any]], *, fetched: str = "", check: bool = False
) -> list[dict[str, Any]]:
    """Return ``{path, archive, made, changed, problem}`` for each store that is to have a copy.

    ``archive``: where the copy is, or would be; None where that is not known. ``made``: whether it is there.
    ``changed``: whether it is new, or would be. ``problem``: why it is not there.

    :param places: the stores.
    :param results: what snapshot_copy returned, each with the number of its store as ``item``.
    :param fetched: path of the copy on the controller; empty where there is none.
    :param check: whether this is check mode. A store without a result would get its copy then.
    """
    by_number = {int(result["item"]): result for result in results if "item" in result and not result.get("skipped")}
    copies = [_copy_of(place, by_number.get(number, {}), check) for number, place in enumerate(places)]
    if fetched:
        directory = fetched.rpartition("/")[0]
        copies.append({"path": directory, "archive": fetched, "made": not check, "changed": check, "problem": ""})
    return copies


def _copy_of(place: str, result: Mapping[str, Any], check: bool) -> dict[str, Any]:
    new, old = (result.get(key) or () for key in ("copied", "present"))
    copy = {"path": place, "archive": None, "made": False, "changed": bool(new), "problem": ""}
    if check and "item" not in result:
        return {**copy, "changed": True}
    if result.get("failure") or result.get("failed") or result.get("unreachable") or not (new or old):
        reason = "the host could not be reached" if result.get("unreachable") else str(result.get("msg") or "no result")
        return {**copy, "changed": False, "problem": f"{printable(place)} ({printable(reason, 2000)})"}
    return {**copy, "archive": (*new, *old)[0]["dest"], "made": not (check and new)}
