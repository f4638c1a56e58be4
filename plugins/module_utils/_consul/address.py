# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address of Consul's HTTP API, as options and CONSUL_HTTP_ADDR write it (pure)."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple, NoReturn

from .._errors import OptionError

_FORMS = "Use a host name, host:port, http://host:port, https://host:port/path or unix:///path."
_PORTS = {"http": 80, "https": 443}
_IPV6 = re.compile(r"\[([^\[\]]*)\](?::(.*))?")
_HOST = re.compile(r"([^:\[\]]*)(?::(.*))?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:%-]+)*")


class Address(NamedTuple):
    """What an address says; None where it says nothing. ``path``: empty, or begins with a slash and ends without."""

    host: str | None = None
    port: int | None = None
    scheme: str | None = None
    path: str = ""
    unix_socket: str | None = None


def default_port(scheme: str) -> int:
    """Return the port that a URL without one means."""
    return _PORTS[scheme]


def require_port(port: int, named: str) -> int:
    """Return a port.

    :raises OptionError: it is out of range.
    """
    if 0 < port < 65536:
        return port
    raise OptionError(f"{named}: the port must be between 1 and 65535, got {port}", hint="Correct the port.")


def parse_address(text: str, named: str) -> Address:
    """Return what an address says; ``named`` is the option or the variable that holds it.

    The text is never repeated in an error, because people put passwords into URLs.

    :raises OptionError: it is not an address.
    """

    def refuse(what: str, hint: str = _FORMS) -> NoReturn:
        raise OptionError(f"{named}: {what}", hint=hint)

    text = text.strip()
    before, separator, after = text.partition("://")
    scheme, rest = (before.lower(), after) if separator else (None, text)
    if not text.isprintable() or " " in text:
        refuse("the address contains white space or control characters")
    if scheme == "unix":
        return Address(unix_socket=rest) if rest else refuse("the address has no socket path")
    if scheme not in (None, "http", "https"):
        refuse("the scheme of the address is not http, https or unix")
    authority, slash, path = rest.partition("/")
    if "@" in rest:
        refuse("the address contains credentials", "Remove them; set CONSUL_HTTP_AUTH to user:password for basic auth.")
    path = (slash + path).rstrip("/")
    if not _PATH.fullmatch(path):
        refuse("the path of the address is not valid", "It must not contain a query, a fragment or an empty part.")
    host, told = _host_and_port(authority, named)
    if not host:
        refuse("the address has no host")
    port = None
    if told is not None:
        if not (told.isascii() and told.isdecimal()):
            refuse("the port of the address is not a number")
        port = require_port(int(told[:6]), named)
    return Address(host, port, scheme, path)


def _host_and_port(authority: str, named: str) -> tuple[str, str | None]:
    if _is_ipv6(authority):
        return authority, None
    bracketed = _IPV6.fullmatch(authority)
    if bracketed and _is_ipv6(bracketed.group(1)):
        return bracketed.group(1), bracketed.group(2)
    plain = _HOST.fullmatch(authority)
    if plain and not re.search(r"[?#\\<>\"]", plain.group(1)):
        return plain.group(1), plain.group(2)
    raise OptionError(f"{named}: the host of the address is not valid", hint=f"{_FORMS} Write IPv6 as [::1]:8500.")


def _is_ipv6(text: str) -> bool:
    try:
        return isinstance(ipaddress.ip_address(text), ipaddress.IPv6Address)
    except ValueError:
        return False
