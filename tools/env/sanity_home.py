# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare the home directory that ansible-test works in, and print it: ``python3 -m env.sanity_home main``.

ansible-test keeps virtual environments of its own below HOME, by a hash of what is in them. Two things are missing in a
fresh one: its script to install pip comes from a server of its own, where Python has the same on board (ensurepip),
and pip's settings are the user's, in another home or in variables that ansible-test does not pass on.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import subprocess
import sys
from importlib import util
from pathlib import Path

from env import places

BOOTSTRAP = '''"""Install the pip that this Python brings along."""
import ensurepip

ensurepip.bootstrap(default_pip=True)
'''


def pip_version() -> str:
    """Return the version of pip in the name of the script that this ansible-test looks for."""
    spec = util.find_spec("ansible_test")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("sanity: no ansible-test in this environment")
    source = Path(spec.submodule_search_locations[0], "_internal", "python_requirements.py").read_text(encoding="utf-8")
    found = re.search(r"\bpip='([\d.]+)'", source)
    if not found:
        raise SystemExit("sanity: this ansible-test does not say which pip it wants")
    return found.group(1)


def pip_settings() -> configparser.RawConfigParser:
    """Return pip's settings in force here, those of variables included."""
    settings = configparser.RawConfigParser()
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        name, value = line.split("=", 1)
        section, option = name.rsplit(".", 1)
        section = section.replace(":env:", "global")
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, str(ast.literal_eval(value)))
    return settings


def prepare(home: Path) -> None:
    """Write both files."""
    script = home / ".ansible" / "test" / "cache" / f"get_pip_{pip_version().replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(BOOTSTRAP, encoding="utf-8")
    config = home / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    # An index address may hold a password.
    with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as handle:
        pip_settings().write(handle)


if __name__ == "__main__":
    place = places.cache() / "sanity" / sys.argv[1]
    prepare(place)
    print(place)
