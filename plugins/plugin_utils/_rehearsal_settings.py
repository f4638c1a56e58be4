# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the role rehearsal that can't be used (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._operations.report.slo import slo_of
from ._places import place_of
from ._settings import path_problem

_PICK = re.compile(r"newest|all|\d{4}-\d\d-\d\d.*", re.DOTALL)


def rehearsal_problems(settings: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the settings of a host, a sentence each; empty when nothing is.

    :param settings: values of the role's variables, by their names without ``rehearsal_``: ``cluster``, ``src``,
        ``dir``, ``work_dir``, ``report_dir``, ``textfile``, ``throttle`` and ``pick``; and, where they are set,
        ``catalogue`` (entries with ``path``) and ``slo``.
    :raises KeyError: one of them is missing.
    """
    values = {name: str(settings[name]) for name in ("cluster", "src", "dir", "work_dir", "report_dir", "textfile")}
    problems = [] if values["cluster"] else ["rehearsal_cluster must not be empty."]
    for name, required, store in (
        ("src", False, True),
        ("dir", not values["src"], True),
        ("work_dir", False, False),
        ("report_dir", True, False),
        ("textfile", False, False),
    ):
        problems.append(path_problem(f"rehearsal_{name}", values[name], required=required, store=store))
    source = place_of(values["src"])
    if not source["local"] and not source["problem"] and (source["pick"] or source["path"].endswith("/")):
        problems.append("rehearsal_src must be the URL of one archive. Set rehearsal_dir to that of a store.")
    if not re.fullmatch(r"0*[1-9]\d*", str(settings["throttle"])):
        problems.append(f'rehearsal_throttle must be 1 or more, got "{printable(settings["throttle"])}".')
    if not _PICK.fullmatch(str(settings["pick"])):
        problems.append(
            "rehearsal_pick must be newest, all, or a time such as 2026-11-23T02:15:00Z, "
            f'got "{printable(settings["pick"])}".'
        )
    for number, place in enumerate(settings.get("catalogue") or ()):
        path = str(place.get("path") or "") if isinstance(place, Mapping) else ""
        problems.append(path_problem(f"rehearsal_catalogue[{number}].path", path, required=True, store=True))
    try:
        slo_of([settings.get("slo")])
    except ValueError as error:
        problems.append(f"rehearsal_slo is not valid: {error}.")
    return [problem for problem in problems if problem]
