# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Option groups, the environment that stands in for them, and how a module ends: all that knows AnsibleModule."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._client import Client, Connection
from ._errors import MissingLibraryError, OptionError, SnapshotError

CONNECTION_OPTIONS: dict[str, dict[str, Any]] = {
    "host": {"type": "str"},
    "port": {"type": "int"},
    "scheme": {"type": "str", "choices": ["http", "https"]},
    "unix_socket": {"type": "path"},
    "token": {"type": "str", "no_log": True},
    "token_file": {"type": "path", "no_log": False},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "tls_server_name": {"type": "str"},
    "timeout": {"type": "int", "default": 300},
    "retries": {"type": "int", "default": 3},
    "retry_delay": {"type": "float", "default": 1.0},
}
CONNECTION_EXCLUSIVE = [
    ("token", "token_file"),
    ("unix_socket", "host"),
    ("unix_socket", "port"),
    ("unix_socket", "scheme"),
]
CONNECTION_REQUIRED_BY = {"client_key": "client_cert"}

_TRUE, _FALSE = ("1", "t", "true", "yes", "on"), ("0", "f", "false", "no", "off")


def connection_spec(**options: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of AnsibleModule for a module that talks to Consul, its own options added."""
    return {
        "argument_spec": {**CONNECTION_OPTIONS, **options},
        "mutually_exclusive": CONNECTION_EXCLUSIVE,
        "required_by": CONNECTION_REQUIRED_BY,
        "supports_check_mode": True,
    }


def client_of(module: AnsibleModule) -> Client:
    """Return a client for a module's connection options and environment.

    :raises OptionError: they can't be used. :raises MissingLibraryError: requests is not installed.
    """
    connection = connection_from(module.params, os.environ)
    if connection.token:
        module.no_log_values.add(connection.token)
    return Client(connection)


def connection_from(params: Mapping[str, Any], environment: Mapping[str, str]) -> Connection:
    """Resolve options and environment into a connection.

    An option wins over the environment, a variable that is empty counts as unset, and https never becomes http.

    :raises OptionError: one of them can't be used; secrets are not in the message.
    """
    host, port, scheme, unix_socket = _address(params, environment)
    verify = params.get("validate_certs")
    if verify is None:
        told = _boolean(environment, "CONSUL_HTTP_SSL_VERIFY")
        verify = True if told is None else told

    def chosen(option: str, *variables: str) -> str | None:
        return params.get(option) or next((environment[one] for one in variables if environment.get(one)), None)

    for option, least in (("timeout", 1), ("retries", 0), ("retry_delay", 0)):
        if params[option] < least:
            raise OptionError(f"{option} must be {least} or more", hint="Correct the option.")
    return Connection(
        host=host,
        port=port,
        scheme=scheme,
        unix_socket=unix_socket,
        token=_token(params, environment),
        validate_certs=verify,
        ca_path=chosen("ca_path", "CONSUL_CACERT", "CONSUL_CAPATH"),
        client_cert=chosen("client_cert", "CONSUL_CLIENT_CERT"),
        client_key=chosen("client_key", "CONSUL_CLIENT_KEY"),
        tls_server_name=chosen("tls_server_name", "CONSUL_TLS_SERVER_NAME"),
        timeout=params["timeout"],
        retries=params["retries"],
        retry_delay=params["retry_delay"],
    )


def _address(params: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, int, str, str | None]:
    host, port, scheme, unix_socket = (params.get(one) for one in ("host", "port", "scheme", "unix_socket"))
    told_scheme = None
    told = environment.get("CONSUL_HTTP_ADDR")
    if told and host is None and port is None and unix_socket is None:
        host, port, told_scheme, unix_socket = _parse_address(told)
    if port is not None and not 0 < port < 65536:
        raise OptionError(f"port {port} is no port", hint="Use a number from 1 to 65535.")
    if host is not None and not host:
        raise OptionError("host is empty", hint="Leave it out for localhost.")
    ssl = told_scheme == "https" or _boolean(environment, "CONSUL_HTTP_SSL")
    scheme = scheme or ("https" if ssl and not unix_socket else "http")
    return host or "localhost", port or 8500, scheme, unix_socket


def _parse_address(address: str) -> tuple[str | None, int | None, str | None, str | None]:
    if address.startswith("unix://"):
        return None, None, None, address[len("unix://") :]
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("", "http", "https") or port == -1 or not parts.hostname or parts.path.strip("/"):
        raise OptionError(
            "CONSUL_HTTP_ADDR can't be understood",
            hint="Use host:port, http://host:port, https://host:port or unix:///path.",
        )
    return parts.hostname, port, parts.scheme or None, None


def _boolean(environment: Mapping[str, str], variable: str) -> bool | None:
    told = environment.get(variable, "").strip().lower()
    if not told:
        return None
    if told not in _TRUE + _FALSE:
        raise OptionError(f"{variable} is neither true nor false", hint="Set it to true or false, or unset it.")
    return told in _TRUE


def _token(params: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    token, path, named = params.get("token"), params.get("token_file"), "token"
    if not token and not path:
        token, named = environment.get("CONSUL_HTTP_TOKEN"), "CONSUL_HTTP_TOKEN"
        path = None if token else environment.get("CONSUL_HTTP_TOKEN_FILE")
    if not token and path:
        token, named = read_secret(path), f"the file {path}"
    return checked_token(token, named) if token else None


def read_secret(path: str) -> str:
    """Return the token that a file holds.

    :raises OptionError: it can't be read, or is empty.
    """
    try:
        with open(path, encoding="ascii") as source:
            token = source.read().strip()
    except OSError as error:
        raise OptionError(
            f"token_file: can't read {path}: {os.strerror(error.errno or 0)}",
            hint="Correct the path, or its permissions.",
        ) from None
    except UnicodeDecodeError:
        raise OptionError(
            f"token_file: {path} holds no token", hint="It must hold the token and nothing else."
        ) from None
    if not token:
        raise OptionError(f"token_file: {path} is empty", hint="It must hold the token and nothing else.")
    return token


def checked_token(token: str, named: str) -> str:
    """Return the token when it can be sent in a header; ``named`` is where it comes from.

    :raises OptionError: it holds white space or anything outside of printable ASCII.
    """
    if all(0x21 <= ord(character) <= 0x7E for character in token):
        return token
    raise OptionError(f"{named} does not hold a token", hint="A token has neither white space nor special characters.")


class Interrupted(BaseException):
    """The run was told to end (SIGTERM, SIGHUP); raised so that what is under way gets cleaned up."""


def end_cleanly() -> None:
    """Make SIGTERM and SIGHUP unwind the module instead of cutting it off with its partial files left behind.

    The first one does: a further one would break off the cleaning up.
    """
    numbers = (signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, _frame: Any) -> NoReturn:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        # What a half-made object of a library complains of, when it is cleared away, is no news (seen on Python 3.13).
        sys.unraisablehook = lambda told: None
        raise Interrupted(number)

    for number in numbers:
        signal.signal(number, interrupt)


_SENT = ("replaced", "unknown")
_LOOK_FIRST = "The archive was sent: look at the cluster before you do anything else (docs/runbook.md, section 1)."


def fail(module: AnsibleModule, error: BaseException, *, state: str | None = None, **result: Any) -> NoReturn:
    """End the module with an error, as one line for a person and as ``failure`` for a playbook.

    :param state: what is known of the cluster's content, for a module that changes it.
    """
    known = {"state": state} if state else {}
    if isinstance(error, SnapshotError):
        message, failure = error.as_text(), {**known, **error.as_failure()}
        if isinstance(error, MissingLibraryError):
            message, result["exception"] = missing_required_lib(error.library), error.cause
    elif isinstance(error, (Interrupted, KeyboardInterrupt)):
        hint = _LOOK_FIRST if state in _SENT else "Run it again; no partial file was left."
        failure = {**known, "kind": "interrupted", "hint": hint}
        message = f"interrupted by a signal{f' (the cluster: {state})' if state else ''}. {hint}"
    else:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(where.filename)}:{where.lineno}"
        hint = "This is a defect of the collection; report it with the place that is named."
        failure = {**known, "kind": "defect", "hint": hint, "place": place}
        message = f"unexpected {type(error).__name__} at {place}{f' (the cluster: {state})' if state else ''}. {hint}"
    module.fail_json(msg=message, failure=failure, **result)
    raise AssertionError("fail_json ends the module")
