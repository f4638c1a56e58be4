# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Consul program on this host, and its version."""

from __future__ import annotations

import os
import re
import shutil
from typing import NamedTuple

from .._errors import BinaryError
from .process import output_of

_VERSION = re.compile(r"Consul v(\d+\.\d+\.\d+[0-9A-Za-z.+~-]*)\s*")


class Binary(NamedTuple):
    """A Consul program."""

    path: str
    version: str


def find_binary(name: str) -> Binary:
    """Return the Consul of this name or path, having asked it for its version.

    :raises BinaryError: it isn't there, can't be run, or isn't Consul.
    """
    path = shutil.which(name)
    if path is None:
        raise BinaryError(
            f"there is no program {name}", hint="Install Consul on this host, or set consul_binary to its path."
        )
    path = os.path.abspath(path)
    output, code = output_of([path, "version"])
    version = version_in(output) if code == 0 else None
    if version is None:
        raise BinaryError(
            f"{path} is not Consul: 'version' prints no version", hint="Set consul_binary to the path of a Consul."
        )
    return Binary(path, version)


def version_in(text: str) -> str | None:
    """Return the version that ``consul version`` prints in its first line; None when that is not Consul's (pure)."""
    line = _VERSION.fullmatch(text.partition("\n")[0])
    return line.group(1) if line else None
