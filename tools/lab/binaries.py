# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Consul and other programs are; how to get them is the business of tools/binaries/get."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

from .errors import LabError

NEW = "1.22.7"
OLD = "1.8.7"

GET = Path(__file__).resolve().parent.parent / "binaries" / "get"


def consul(version: str = NEW) -> Path:
    """The path of a Consul binary, made first if need be; progress goes to stderr."""
    return program(f"consul-{version}")


@functools.cache
def program(name: str) -> Path:
    """The path of one of the programs that tools/binaries/get knows, made first if need be; progress goes to stderr."""
    environment = os.environ | {"PYTHON": sys.executable}
    with subprocess.Popen([str(GET), name], env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _errors = process.communicate()
        except BaseException:
            # Killed outright, as subprocess.run would do, it could not end the compiler that it may have started.
            process.terminate()
            raise
    if process.returncode != 0:
        raise LabError(f"no {name}: see the message of tools/binaries/get above")
    return Path(output.strip())


@functools.cache
def version_of(binary: Path) -> str:
    """What ``consul version`` says: a binary named by the user may be another than the one asked for."""
    done = subprocess.run([str(binary), "version"], capture_output=True, text=True, check=False)
    match = re.search(r"^Consul v(\d+\.\d+\.\d+)", done.stdout, re.MULTILINE)
    if match is None:
        raise LabError(f"{binary} does not say its version")
    return match.group(1)
