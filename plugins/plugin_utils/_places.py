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


def place_of(text: str, *, store: bool = False) -> dict[str, Any]:
    """Return ``{local, path, pick}`` of a path or URL.

    ``local``: whether it is of a host's file system. ``path``: without a slash at its end when it is; otherwise the
    URL, of which a store's ends with a slash. ``pick``: what the last part of a URL asks for, ``newest`` or a time,
    which ``path`` then lacks; empty where it asks for nothing. A URL that is not valid is returned as it is: the
    settings are checked elsewhere.

    :param store: whether a URL means a store however it ends.
    """
    if not is_url(text):
        return _local(text)
    try:
        location = parse_location(text, "")
    except OptionError:
        return {"local": False, "path": text, "pick": ""}
    if location.is_local:
        return _local(location.path)
    if store:
        return {"local": False, "path": str(location.as_store()), "pick": ""}
    directory, name = location.split()
    pick = name if _PICK.fullmatch(name) else ""
    return {"local": False, "path": str(directory if pick else location), "pick": pick}


def _local(path: str) -> dict[str, Any]:
    return {"local": True, "path": path.rstrip("/") or path[:1], "pick": ""}
