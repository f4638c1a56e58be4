# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where packages come from: uv and ansible-test get the settings that pip has on this machine."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from collections.abc import Mapping

UV_NAMES = {
    "cert": "SSL_CERT_FILE",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "no-index": "UV_NO_INDEX",
}


@functools.cache
def settings() -> dict[str, str]:
    """Return pip's settings in force here, those of variables included; the more special ones win."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    pairs = [line.split("=", 1) for line in listed.stdout.splitlines()]
    pairs.sort(key=lambda pair: ("global", "install", ":env:").index(pair[0].rpartition(".")[0]))
    return {name.rpartition(".")[2]: str(ast.literal_eval(value)) for name, value in pairs}


def for_uv(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tell uv the same, but for those that the user has set."""
    found = {UV_NAMES[name]: value for name, value in settings().items() if name in UV_NAMES}
    # uv fails where pip shrugs: at a directory that is not there.
    places = [place for place in found.pop("UV_FIND_LINKS", "").split() if "://" in place or os.path.isdir(place)]
    if places:
        found["UV_FIND_LINKS"] = ",".join(places)
    return {name: value for name, value in found.items() if name not in environment}
