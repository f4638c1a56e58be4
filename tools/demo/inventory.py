# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a cluster, as a user of the collection would write it (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Vault:
    """Files that a user has beside the inventory: what it takes to be let in."""

    token_file: Path
    ca_file: Path
    client_cert: Path
    client_key: Path


def inventory(
    ports: Mapping[str, int],
    vault: Vault,
    *,
    cluster: str,
    backups: Path,
    python: str,
    variables: Mapping[str, object],
) -> str:
    """Return YAML with one host for each server; it names the files of secrets and holds none.

    ``ports`` are those of HTTPS, by server; ``variables`` what else holds for all of them.
    """
    hosts = "\n".join(f"    {name}: {{consul_port: {port}}}" for name, port in ports.items())
    more = "".join(f"    {name}: {json.dumps(value)}\n" for name, value in variables.items())
    return f"""\
consul:
  hosts:
{hosts}
  vars:
    ansible_connection: local
    ansible_python_interpreter: {_quoted(python)}
    backup_cluster: {cluster}
    restore_cluster: {cluster}
    backup_dir: {_quoted(backups)}
    backup_connection:
      scheme: https
      host: 127.0.0.1
      port: "{{{{ consul_port }}}}"
      ca_path: {_quoted(vault.ca_file)}
      client_cert: {_quoted(vault.client_cert)}
      client_key: {_quoted(vault.client_key)}
      token_file: {_quoted(vault.token_file)}
{more}"""


def _quoted(value: Path | str) -> str:
    # A string in JSON is one in YAML, too.
    return json.dumps(str(value))
