# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where archives lie, as a role's variable names it: a directory of a host, or the URL of a store (pure)."""

from __future__ import annotations

import re
from typing import Any

from ..module_utils._errors import OptionError
from ..module_utils._storage.location import is_url, parse_location

_PICK = re.compile(r"newest|\d{4}-\d\d-\d\d(?!.*\.(?:snap|age)$)([T ].*)?")


def place_of(text: str, *, store: bool = False, option: str = "the URL") -> dict[str, Any]:
    """Return ``{local, path, pick, problem}`` of a path or URL.

    ``local``: whether it is of a host's file system. ``path``: without a slash at its end when it is; otherwise the
    URL, of which a store's ends with a slash. ``pick``: what the last part of a URL asks for, ``newest`` or a time,
    which ``path`` then lacks; empty where it asks for nothing. ``problem``: why a URL can't be used; empty when it can.
    It is returned as it is then.

    :param store: whether a URL means a store however it ends.
    :param option: whose value it is, for ``problem``.
    """
    if not is_url(text):
        return _local(text)
    try:
        location = parse_location(text, option)
    except OptionError as error:
        return _place(False, text, problem=error.as_text())
    if location.is_local:
        return _local(location.path)
    if store:
        return _place(False, str(location.as_store()))
    directory, name = location.split()
    pick = name if _PICK.fullmatch(name) else ""
    return _place(False, str(directory if pick else location), pick=pick)


def _local(path: str) -> dict[str, Any]:
    return _place(True, path.rstrip("/") or path[:1])


def _place(local: bool, path: str, *, pick: str = "", problem: str = "") -> dict[str, Any]:
    return {"local": local, "path": path, "pick": pick, "problem": problem}
