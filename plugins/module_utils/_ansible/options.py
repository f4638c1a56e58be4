# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options, and the environment variables that stand in for them (pure, but for a token file)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._consul.address import Address, default_port, parse_address, require_port
from .._consul.client import Connection
from .._errors import OptionError

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

_ONE_WORD = "A token is one word of printable ASCII characters, without spaces, line breaks or control characters."
_SECRET_LIMIT = 64 << 10
_TRUE, _FALSE = ("1", "t", "true", "yes", "on"), ("0", "f", "false", "no", "off")


def connection_spec(**options: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of AnsibleModule for a module that talks to Consul, its own options added."""
    return {
        "argument_spec": {**CONNECTION_OPTIONS, **options},
        "mutually_exclusive": CONNECTION_EXCLUSIVE,
        "required_by": CONNECTION_REQUIRED_BY,
    }


def connection_from(params: Mapping[str, Any], environment: Mapping[str, str]) -> Connection:
    """Resolve options and environment into a connection.

    An option wins over the environment, a variable that is empty counts as unset, and https never becomes http.

    :raises OptionError: one of them can't be used; secrets are not in the message.
    """
    address, scheme = _address(params, environment)
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
        host=address.host or "localhost",
        port=address.port or 8500,
        scheme=scheme,
        path=address.path,
        unix_socket=address.unix_socket,
        basic_auth=_basic_auth(environment),
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


def _address(params: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[Address, str]:
    """Return the address, all of it known, and its scheme."""
    port, scheme, unix_socket = (params.get(one) for one in ("port", "scheme", "unix_socket"))
    ssl = bool(_boolean(environment, "CONSUL_HTTP_SSL"))
    if port is not None:
        require_port(port, "port")
    if unix_socket is not None:
        return Address(unix_socket=unix_socket), "http"
    from_environment = params.get("host") is None and port is None
    text = environment.get("CONSUL_HTTP_ADDR") if from_environment else params.get("host")
    if text is None or (from_environment and not text):
        text = "localhost"
        from_environment = False
    told = parse_address(text, "CONSUL_HTTP_ADDR" if from_environment else "host")
    if not from_environment:
        _require_agreement(told, port, scheme)
        scheme = scheme or told.scheme
    if told.unix_socket:
        return told, "http"
    scheme = scheme or ("https" if ssl or told.scheme == "https" else "http")
    # An address in the environment, and a URL, mean what they mean to the consul command line.
    other = default_port(scheme) if from_environment or told.scheme else 8500
    return told._replace(port=told.port or port or other), scheme


def _require_agreement(told: Address, port: int | None, scheme: str | None) -> None:
    for option, given, in_host in (("port", port, told.port), ("scheme", scheme, told.scheme)):
        if given is not None and (told.unix_socket or in_host not in (None, given)):
            there = "a Unix socket" if told.unix_socket else in_host
            raise OptionError(
                f"host and {option} contradict each other: {there} and {given}", hint=f"Set {option} in one place."
            )


def _boolean(environment: Mapping[str, str], variable: str) -> bool | None:
    told = environment.get(variable, "").strip().lower()
    if not told:
        return None
    if told not in _TRUE + _FALSE:
        raise OptionError(f"{variable} is neither true nor false", hint="Set it to true or false, or unset it.")
    return told in _TRUE


def _token(params: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    token, path, named = params.get("token"), params.get("token_file"), "token_file"
    if token:
        return checked_token(token, "token")
    if not path:
        # The file wins, as it does with the consul command line.
        path, named = environment.get("CONSUL_HTTP_TOKEN_FILE"), "CONSUL_HTTP_TOKEN_FILE"
    if path:
        return read_secret(path, named)
    token = environment.get("CONSUL_HTTP_TOKEN")
    return checked_token(token, "CONSUL_HTTP_TOKEN") if token else None


def read_secret(path: str, named: str) -> str:
    """Return the token that a file holds; ``named`` is the option or the variable that names the file.

    :raises OptionError: it can't be read, or does not hold a token.
    """
    try:
        with open(path, encoding="utf-8") as source:
            token = source.read(_SECRET_LIMIT)
    except OSError as error:
        raise OptionError(
            f"{named}: can't read {path}: {os.strerror(error.errno or 0)}",
            hint="Correct the path, or run as a user who may read it (become).",
        ) from None
    except ValueError:
        # Not text, or a path that no file can have.
        raise OptionError(f"{named}: the file {path} does not hold a token", hint=_ONE_WORD) from None
    return checked_token(token, f"{named}: the file {path}")


def checked_token(token: str, named: str) -> str:
    """Return the token as it is sent, without white space around it; ``named`` is where it comes from.

    :raises OptionError: it is empty, or holds white space or anything outside of printable ASCII.
    """
    token = token.strip()
    if not token:
        raise OptionError(f"{named} is empty", hint="It must hold the token and nothing else.")
    if all(0x21 <= ord(character) <= 0x7E for character in token):
        return token
    raise OptionError(f"{named} does not hold a token", hint=_ONE_WORD)


def _basic_auth(environment: Mapping[str, str]) -> str | None:
    """Return ``user:password`` of CONSUL_HTTP_AUTH; the password is empty where there is no colon."""
    told = environment.get("CONSUL_HTTP_AUTH", "").strip("\r\n")
    if not told:
        return None
    if not told.isprintable():
        raise OptionError("CONSUL_HTTP_AUTH holds control characters", hint="Set it to user:password.")
    return told if ":" in told else f"{told}:"
