# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role schedule, played in a system of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from support.booted import Booted
from support.playbooks import RECAP, Ansible, Played

TIMEOUT = 900.0

SECRET = "a-passphrase-that-nobody-may-see-4712"
"""What only the user of the schedule may read: not in a unit, in cron's file, in a list of processes, in an output."""


class Scheduler:
    """Plays the role in that system, on hosts of an inventory in /srv."""

    def __init__(self, booted: Booted, ansible: Ansible) -> None:
        self.booted = booted
        self._ansible = ansible
        play = {"hosts": "consul", "gather_facts": False, "roles": ["disaster_recovery.consul.schedule"]}
        self._playbook = f"/srv/{ansible.playbook(play).name}"

    def play(self, *options: str, **variables: Any) -> Played:
        """Run the role; nothing that it prints may hold a secret."""
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [program, self._playbook, "-i", "/srv/inventory.yml", *options]
        environment = {**self._ansible.environment(), "ANSIBLE_CONFIG": "/srv/ansible.cfg", "ANSIBLE_HOME": "/srv/home"}
        done = self.booted.run([*command, "-e", json.dumps(variables)], env=environment, timeout=TIMEOUT)
        assert SECRET not in done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        counts = {
            host: {key: int(value) for key, value in (pair.split("=") for pair in told.split())}
            for host, told in RECAP.findall(done.stdout)
        }
        return Played(done.returncode, done.stdout, counts)

    def ok(self, *options: str, **variables: Any) -> Played:
        """Run the role, which must end well."""
        played = self.play(*options, **variables)
        assert played.code == 0, played.output
        return played

    def files(self) -> list[str]:
        """What is there of any schedule."""
        places = "/etc/systemd/system /etc/cron.d /etc/consul-schedule"
        return self.booted.ok("sh", "-c", f"find {places} -not -type d 2>/dev/null; true").split()
