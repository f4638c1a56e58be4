# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a cluster, as a user of the collection would write it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml


def inventory(
    ports: Mapping[str, int],
    files: Mapping[str, Path],
    *,
    cluster: str,
    backups: Path,
    python: str,
    variables: Mapping[str, object],
) -> str:
    """Return YAML with one host for each server; it names the files of secrets and holds none.

    ``ports`` are those of HTTPS, by server; ``files`` those that a user has beside the inventory, by the option of a
    connection that wants them; ``variables`` what else holds for all servers.
    """
    connection = {"scheme": "https", "host": "127.0.0.1", "port": "{{ consul_port }}"}
    everywhere = {
        "ansible_connection": "local",
        "ansible_python_interpreter": python,
        "backup_cluster": cluster,
        "restore_cluster": cluster,
        "backup_dir": str(backups),
        "backup_connection": {**connection, **{option: str(path) for option, path in files.items()}},
        **variables,
    }
    hosts = {name: {"consul_port": port} for name, port in ports.items()}
    text: str = yaml.safe_dump({"consul": {"hosts": hosts, "vars": everywhere}}, sort_keys=False)
    return text
