# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a role that can't be used (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_DIRECTORY_NAME = re.compile(r"[^/.\x00-\x1f\x7f-][^/\x00-\x1f\x7f]{0,199}")


def problems_of(role: str, cluster: str, paths: Mapping[str, str], required: Collection[str] = ()) -> list[str]:
    """Return what is wrong with a role's settings, a sentence each; empty when nothing is.

    :param cluster: value of ``<role>_cluster``.
    :param paths: values by the name of the variable; each must be absolute, or begin with ~, or be empty.
    :param required: names of those that must not be empty.
    """
    problems = []
    if not _DIRECTORY_NAME.fullmatch(cluster):
        problems.append(
            f"{role}_cluster is also the name of a directory. It must have 1 to 200 characters, no slash and no "
            f'control character, and must not begin with a dot or a dash; got "{cluster}".'
        )
    return problems + [
        f'{name} must be an absolute path, got "{path}".'
        for name, path in paths.items()
        if not path.startswith(("/", "~")) and (path or name in required)
    ]
