# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The home directory that ansible-test works in, where it keeps environments of its own by a hash of what is in them.

Two things are missing in a fresh one: its script to install pip comes from a server of its own, where Python has the
same on board (ensurepip), and pip's settings are the user's, in another home or in variables that ansible-test does not
pass on.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from pathlib import Path

BOOTSTRAP = '''"""Install the pip that this Python brings along."""
import ensurepip

ensurepip.bootstrap(default_pip=True)
'''


def pip_version(environment: Path) -> str:
    """Return the version of pip in the name of the script that an environment's ansible-test looks for."""
    for path in environment.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"):
        match = re.search(r"\bpip='([\d.]+)'", path.read_text(encoding="utf-8"))
        if match:
            return match.group(1)
    raise LookupError(f"the ansible-test in {environment} does not say which pip it wants")


def prepare(home: Path, environment: Path, pip_settings: Mapping[str, str]) -> None:
    """Write the script and pip's settings.

    :raises LookupError: there is no ansible-test in the environment, or it is of another make.
    """
    script = home / ".ansible" / "test" / "cache" / f"get_pip_{pip_version(environment).replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(BOOTSTRAP, encoding="utf-8")
    settings = configparser.RawConfigParser()
    settings["global"] = dict(pip_settings)
    config = home / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    # An index address may hold a password.
    with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as handle:
        settings.write(handle)
