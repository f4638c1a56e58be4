# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to hosts that aren't the controller, on a machine that has but one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: elsewhere
short_description: Run modules on this machine as if it were another one
description: What runs on the host doesn't see the directories that the controller keeps to itself.
author: Contributors to the disaster_recovery.consul project
extends_documentation_fragment: connection_pipelining
options:
  become_success_timeout:
    description: As of the local connection.
    type: int
    default: 10
  become_strip_preamble:
    description: As of the local connection.
    type: bool
    default: true
  hidden:
    description: Directory that only the controller sees.
    type: str
    default: ""
    vars:
      - name: elsewhere_hidden
  down:
    description: Be a host that can't be reached.
    type: bool
    default: false
    vars:
      - name: elsewhere_down
  rots:
    description: Directory in which every archive loses its end as soon as it is there with its manifest.
    type: str
    default: ""
    vars:
      - name: elsewhere_rots
"""


class Connection(Local):
    """A local connection with a wall, or a broken one."""

    transport = "elsewhere"

    def _connect(self) -> Any:
        if self.get_option("down"):
            raise AnsibleConnectionFailure("no route to this host")
        return super()._connect()

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Any:
        """Run a command in a mount namespace in which the hidden directory is empty."""
        hidden = self.get_option("hidden")
        if hidden:
            wall = f"mount -t tmpfs tmpfs {shlex.quote(hidden)} && exec sh -c {shlex.quote(cmd)}"
            cmd = f"unshare --map-root-user --mount sh -c {shlex.quote(wall)}"
        self._rot()
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)

    def _rot(self) -> None:
        rots = self.get_option("rots")
        for manifest in Path(rots).glob("*.manifest.json") if rots else ():
            archive = manifest.with_name(manifest.name.removesuffix(".manifest.json"))
            size = archive.stat().st_size
            with archive.open("r+b") as file:
                file.truncate(size - 1)
