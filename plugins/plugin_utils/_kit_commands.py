# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of a rollback kit: how they reach the cluster, and how the archive is fetched from a store (pure).

Nothing secret gets in: of the settings of a store and of a connection, only places and names of files are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..module_utils._errors import OptionError
from ..module_utils._storage.location import AZURE, GCS, Location, parse_location
from ._kit_text import shell_word

_WITH_PORT = re.compile(r"([^:]+|\[.*\]):[0-9]+$")


def access_of(connection: Mapping[str, Any], *, validates: bool = True) -> dict[str, Any]:
    """Return ``{environment, api, curl}``: variables for the consul program, and what a call of the API begins with.

    :param connection: ``backup_connection``.
    :param validates: whether certificates are checked.
    """
    host, socket = str(connection.get("host") or "127.0.0.1"), str(connection.get("unix_socket") or "")
    url = host if "://" in host else f"{connection.get('scheme') or 'http'}://{_netloc(host, connection.get('port'))}"
    variables = {
        "CONSUL_HTTP_ADDR": f"unix://{socket}" if socket else url,
        "CONSUL_CACERT": connection.get("ca_path"),
        "CONSUL_CLIENT_CERT": connection.get("client_cert"),
        "CONSUL_CLIENT_KEY": connection.get("client_key"),
        "CONSUL_TLS_SERVER_NAME": connection.get("tls_server_name"),
        "CONSUL_HTTP_SSL_VERIFY": "" if validates else "false",
    }
    environment = {name: str(value) for name, value in variables.items() if value}
    curl = ["curl -sS"]
    curl += ['--unix-socket "${CONSUL_HTTP_ADDR#unix://}"'] if socket else []
    curl += ['--cacert "$CONSUL_CACERT"'] if "CONSUL_CACERT" in environment else []
    certificate = '--cert "$CONSUL_CLIENT_CERT" --key "$CONSUL_CLIENT_KEY"'
    curl += [certificate] if "CONSUL_CLIENT_CERT" in environment else []
    curl += ["--insecure"] if "CONSUL_HTTP_SSL_VERIFY" in environment else []
    api = "http://localhost" if socket else "$CONSUL_HTTP_ADDR"
    return {"environment": environment, "api": api, "curl": " ".join(curl)}


def download_of(url: str, store: Mapping[str, Any]) -> dict[str, str]:
    """Return ``{program, command, login}``: what fetches an archive from a store into the current directory.

    :param url: of the archive.
    :param store: the option ``store`` of the modules.
    :raises OptionError: it is no URL of a store.
    """
    location = parse_location(url, "the archive")
    if location.is_local:
        raise OptionError("the archive is in no store", hint="Its path is all that is needed.")
    name = shell_word(location.split()[1])
    if location.scheme == GCS:
        command = f"gcloud storage cp {shell_word(url)} {name}"
        return {"program": "gcloud", "command": command, "login": "gcloud auth login"}
    if location.scheme == AZURE:
        command = f"az storage blob download --auth-mode login {_azure_place(location, store)} --file {name}"
        return {"program": "az", "command": command, "login": "az login"}
    words = ["aws", "s3", "cp"]
    for option, key in (("--endpoint-url", "endpoint_url"), ("--region", "region"), ("--profile", "profile")):
        words += [option, shell_word(str(store[key]))] if _is_plain(store.get(key)) else []
    words += ["--ca-bundle", shell_word(str(store["ca_path"]))] if _is_plain(store.get("ca_path")) else []
    words += ["--no-verify-ssl"] if store.get("validate_certs") in (False, "false", "no") else []
    return {"program": "aws", "command": " ".join([*words, shell_word(url), name]), "login": "aws configure"}


def _azure_place(location: Location, store: Mapping[str, Any]) -> str:
    """Return where a blob is, as the program ``az`` takes it. Without an address the account is left to its reader."""
    account = str(store.get("account_url") or "").rstrip("/")
    if account and _is_plain(account):
        return f"--blob-url {shell_word(f'{account}/{location.bucket}/{quote(location.path)}')}"
    container, blob = shell_word(location.bucket), shell_word(location.path)
    return f'--account-name "$ACCOUNT" --container-name {container} --name {blob}'


def _is_plain(value: object) -> bool:
    """Whether a setting is there, and holds neither credentials nor a signature."""
    return bool(value) and not set("@?#") & set(str(value))


def _netloc(host: str, port: object) -> str:
    if _WITH_PORT.match(host):
        return host
    bracketed = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    return f"{bracketed}:{port or 8500}"
