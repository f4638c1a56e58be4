# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``tools/consul/get``: print the path of a Consul binary on stdout; everything else goes to stderr."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from .cache import NEW, OLD, GetError, cached, from_environment, say
from .from_debian import unpack_from_debian
from .from_go import build_with_go

RECIPES = {NEW: build_with_go, OLD: unpack_from_debian}


def binary(version: str) -> Path:
    """Return the path of a binary of ``version``, making one if there is none yet."""
    return from_environment(version) or cached(version, RECIPES[version])


def main(arguments: list[str]) -> int:
    """Print the path; 2 for a wrong call, 1 when no binary can be had."""
    if len(arguments) != 1 or arguments[0] not in RECIPES:
        print(f"usage: tools/consul/get {'|'.join(RECIPES)}", file=sys.stderr)
        return 2
    # A terminated run must not leave a compiler behind: turn the signal into an exception, so that cleanup runs.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        print(binary(arguments[0]))
    except GetError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0
