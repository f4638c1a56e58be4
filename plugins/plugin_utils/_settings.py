# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a role that can't be used (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ..module_utils._errors import OptionError
from ..module_utils._storage.location import is_url, parse_location

_DIRECTORY_NAME = re.compile(r"[^/.\x00-\x1f\x7f-][^/\x00-\x1f\x7f]{0,199}")


def problems_of(
    role: str,
    cluster: str,
    paths: Mapping[str, str],
    required: Collection[str] = (),
    stores: Collection[str] = (),
) -> list[str]:
    """Return what is wrong with a role's settings, a sentence each; empty when nothing is.

    :param cluster: value of ``<role>_cluster``.
    :param paths: values by the name of the variable; each must be absolute, or begin with ~, or be empty.
    :param required: names of those that must not be empty.
    :param stores: names of those that may be the URL of a store as well.
    """
    problems = []
    if not _DIRECTORY_NAME.fullmatch(cluster):
        problems.append(
            f"{role}_cluster is also the name of a directory. It must have 1 to 200 characters, no slash and no "
            f'control character, and must not begin with a dot or a dash; got "{cluster}".'
        )
    for name, path in paths.items():
        problem = path_problem(name, path, required=name in required, store=name in stores)
        problems += [problem] if problem else []
    return problems


def path_problem(name: str, path: str, *, required: bool, store: bool) -> str:
    """Return what is wrong with the value of a variable that names a place; empty when nothing is.

    A URL may hold credentials where it is written wrong, so it is never shown.
    """
    if is_url(path):
        if not store:
            return f"{name} must be an absolute path, and can't be a URL."
        try:
            parse_location(path, name)
        except OptionError as error:
            return error.as_text()
        return ""
    if path.startswith(("/", "~")) or not (path or required):
        return ""
    hint = " The URL of a store is written as s3://bucket/prefix/." if store and ":" in path else ""
    return f'{name} must be an absolute path, got "{path}".{hint}'
