# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line for a person about each backup (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._operations.report.words import bytes_text


def summaries_of(results: Iterable[Mapping[str, Any]], *, check: bool) -> list[str]:
    """Return a line for each result of the role backup; none for those that are empty.

    :param check: whether the role ran in check mode.
    """
    return [_summary_of(result, check) for result in results if result]


def _summary_of(result: Mapping[str, Any], check: bool) -> str:
    verb = "confirmed" if not result["changed"] else "would keep" if check else "kept"
    fetched = f"; on the controller: {result['fetched']}" if result.get("fetched") else ""
    told = result.get("fetched")
    copies = [copy for copy in result.get("copies") or () if not told or copy["archive"] != told]
    made = [str(copy["path"]) for copy in copies if copy["made"]]
    would = [str(copy["path"]) for copy in copies if copy["changed"] and not copy["made"]]
    copied = f"; copies in {', '.join(made)}" if made else f"; would be copied to {', '.join(would)}" if would else ""
    problems = [str(problem) for problem in result.get("missing_copies") or ()]
    missing = f". NOT in every store: {'; '.join(problems)}" if problems else ""
    sealed = ", encrypted" if result.get("sealed") else ""
    doubt = (
        ""
        if result["confirmed_by_leader"]
        else ". No leader confirmed it, so it may be behind the cluster. It does not count as a backup until a leader "
        "confirms it."
    )
    return printable(
        f"{result['cluster']}: {verb} {result['archive']} on {result['host']} "
        f"({bytes_text(result['size'])}{sealed}, index {result['index']}): {result['reason']}"
        f"{copied}{fetched}{doubt}{missing}",
        None,
    )
