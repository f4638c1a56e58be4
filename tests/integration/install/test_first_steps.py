# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md's first steps, as they are printed, with a host whose Python has no library yet, on a real cluster."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support import pages
from support.kits import Shell, machine
from support.modules import collections_root

from env import places
from lab import Cluster

README = places.CHECKOUT / "README.md"
PIP = re.compile(r"`(pip install [^`]*)`")


@pytest.fixture(scope="module")
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    return shared_cluster(name_prefix="first")


class Newcomer:
    """Somebody with one machine that is controller and server in one, and a new Python for the modules."""

    def __init__(self, directory: Path, cluster: Cluster) -> None:
        self.home, self.consul_d, self.backups = directory / "home", directory / "consul.d", directory / "backups"
        self.python = directory / "python"
        for made in (self.home, self.consul_d):
            made.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(self.python)], check=True, timeout=120)
        # These hosts are this machine, and its user owns what root would.
        hosts = {
            "ansible_connection": "local",
            "ansible_python_interpreter": str(self.python / "bin" / "python"),
            "ansible_become": False,
            # Where the role keeps archives unless it is told otherwise, in a directory of this test.
            "backup_dir": f"{self.backups}/{{{{ backup_cluster }}}}",
        }
        variables = self.home / "hosts.json"
        variables.write_text(json.dumps(hosts), encoding="utf-8")
        (self.home / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
        self.more = f"-e @{variables}"
        self.shell = Shell(
            self.home,
            machine(directory / "bin", cluster.binary),
            **cluster.env(token=cluster.tokens.initial_management),
            ANSIBLE_COLLECTIONS_PATH=str(collections_root()),
            ANSIBLE_CONFIG=str(self.home / "ansible.cfg"),
            ANSIBLE_HOME=str(directory / "ansible"),
            ANSIBLE_NOCOLOR="1",
        )

    def here(self, text: str) -> str:
        """Return a text with this one's own directories in it."""
        return text.replace("/etc/consul.d", str(self.consul_d)).replace("/var/backups/consul", str(self.backups))

    def types(self, block: str, *, code: int = 0) -> str:
        """Type commands, with what makes this machine all of the hosts."""
        block = re.sub(r"^(ansible-playbook .*)$", rf"\1 {self.more}", self.here(block), flags=re.MULTILINE)
        return self.shell.run(block, code=code)


def test_the_first_steps_work_as_printed(tmp_path: Path, cluster: Cluster) -> None:
    (pip,) = PIP.findall(pages.section(README, "Install"))
    token, inventory, playbook, run, without = pages.blocks(pages.section(README, "A first playbook"))
    newcomer = Newcomer(tmp_path, cluster)

    newcomer.types(token.text)
    written = newcomer.consul_d / "snapshot.token"
    assert written.stat().st_mode & 0o777 == 0o600
    secret = written.read_text(encoding="utf-8").strip()
    assert [policy["Name"] for policy in cluster.get("/v1/acl/token/self", token=secret)["Policies"]] == ["snapshots"]
    # From now on nothing but that token is used.
    newcomer.shell.run("unset CONSUL_HTTP_TOKEN")
    (newcomer.home / "inventory.yml").write_text(newcomer.here(inventory.text), encoding="utf-8")
    (newcomer.home / "save.yml").write_text(newcomer.here(playbook.text), encoding="utf-8")
    hosts = list(yaml.safe_load(inventory.text)["consul"]["hosts"])

    # A host without the libraries: the message names the package, and what is printed above installs them.
    missing = newcomer.types(run.text, code=2)
    assert "python3-requests, or pip install requests" in missing
    assert not newcomer.backups.exists()
    newcomer.shell.run(f"{newcomer.python}/bin/{pip}")

    saved = newcomer.types(run.text)
    (archive,) = newcomer.backups.glob("*.snap")
    assert archive.stat().st_mode & 0o777 == 0o600
    assert archive.parent.stat().st_mode & 0o777 == 0o700
    cluster.cli("snapshot", "inspect", archive)
    assert f"changed: [{hosts[0]}]" in saved
    again = newcomer.types(run.text)
    assert "changed=0" in again
    assert list(newcomer.backups.glob("*.snap")) == [archive]

    # The same inventory does for the collection's own playbook.
    kept = newcomer.types(without.text)
    assert f"production: kept {newcomer.backups}/production/" in kept
    assert len(list((newcomer.backups / "production").glob("*.snap"))) == 1
    defaults = yaml.safe_load((places.CHECKOUT / "roles" / "backup" / "defaults" / "main.yml").read_text("utf-8"))
    assert newcomer.here(defaults["backup_dir"]) == f"{newcomer.backups}/{{{{ backup_cluster }}}}"
    for printed in (missing, saved, again, kept):
        assert secret not in printed
