# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How options and environment become a connection: every rule of precedence, one row each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.options import (
    CONNECTION_OPTIONS,
    connection_from,
    connection_spec,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import OptionError

SECRET = "5e11c2d4-secret"


def params(**given: Any) -> dict[str, Any]:
    """Return what AnsibleModule makes of the options that a user gave."""
    return {**{name: spec.get("default") for name, spec in CONNECTION_OPTIONS.items()}, **given}


ADDRESSES = [
    ("nothing", {}, {}, "http://localhost:8500"),
    ("host alone", {"host": "a"}, {}, "http://a:8500"),
    ("port alone", {"port": 1}, {}, "http://localhost:1"),
    ("scheme alone", {"scheme": "https"}, {}, "https://localhost:8500"),
    ("IPv6", {"host": "::1", "port": 8501}, {}, "http://[::1]:8501"),
    ("socket", {"unix_socket": "/run/c.sock"}, {}, "unix:///run/c.sock"),
    ("variable: host and port", {}, {"CONSUL_HTTP_ADDR": "b:1234"}, "http://b:1234"),
    ("host and port in one", {"host": "a:1"}, {}, "http://a:1"),
    ("host and port in one, and the same port", {"host": "a:1", "port": 1}, {}, "http://a:1"),
    ("host as a URL", {"host": "https://a:1"}, {}, "https://a:1"),
    ("host as a URL without a port", {"host": "https://a"}, {}, "https://a:443"),
    ("host as a URL, the port beside it", {"host": "http://a", "port": 8500}, {}, "http://a:8500"),
    ("host as a URL, the same scheme", {"host": "http://a", "scheme": "http"}, {}, "http://a:80"),
    ("host as a URL is a scheme of ours", {"host": "http://a:1"}, {"CONSUL_HTTP_SSL": "true"}, "http://a:1"),
    ("host with a path", {"host": "https://a/consul/x/"}, {}, "https://a:443/consul/x"),
    ("host with a path, no scheme", {"host": "a/consul"}, {}, "http://a:8500/consul"),
    ("host in brackets", {"host": "[::1]"}, {}, "http://[::1]:8500"),
    ("host in brackets with a port", {"host": "[::1]:1"}, {}, "http://[::1]:1"),
    ("host with a zone", {"host": "fe80::1%eth0"}, {}, "http://[fe80::1%eth0]:8500"),
    ("host is a socket", {"host": "unix:///run/c.sock"}, {}, "unix:///run/c.sock"),
    ("host with a newline at the end", {"host": "a\n"}, {}, "http://a:8500"),
    ("host in capitals", {"host": "HTTPS://a:1"}, {}, "https://a:1"),
    ("variable: host", {}, {"CONSUL_HTTP_ADDR": "b"}, "http://b:80"),
    ("variable: http without a port", {}, {"CONSUL_HTTP_ADDR": "http://b"}, "http://b:80"),
    ("variable: https without a port", {}, {"CONSUL_HTTP_ADDR": "https://b"}, "https://b:443"),
    ("variable: ssl without a port", {}, {"CONSUL_HTTP_ADDR": "b", "CONSUL_HTTP_SSL": "1"}, "https://b:443"),
    ("variable: https by option, no port", {"scheme": "https"}, {"CONSUL_HTTP_ADDR": "b"}, "https://b:443"),
    ("variable: IPv6 without a port", {}, {"CONSUL_HTTP_ADDR": "[::1]"}, "http://[::1]:80"),
    ("variable: path", {}, {"CONSUL_HTTP_ADDR": "https://b:1/consul/"}, "https://b:1/consul"),
    ("host beats a path of the variable", {"host": "a"}, {"CONSUL_HTTP_ADDR": "http://b/consul"}, "http://a:8500"),
    ("variable: http", {}, {"CONSUL_HTTP_ADDR": "http://b:1234"}, "http://b:1234"),
    ("variable: https", {}, {"CONSUL_HTTP_ADDR": "https://b:1234"}, "https://b:1234"),
    ("variable: slash at the end", {}, {"CONSUL_HTTP_ADDR": "https://b:1234/"}, "https://b:1234"),
    ("variable: IPv6", {}, {"CONSUL_HTTP_ADDR": "[::1]:1234"}, "http://[::1]:1234"),
    ("variable: socket", {}, {"CONSUL_HTTP_ADDR": "unix:///run/c.sock"}, "unix:///run/c.sock"),
    ("variable: empty", {}, {"CONSUL_HTTP_ADDR": ""}, "http://localhost:8500"),
    ("host beats the variable whole", {"host": "a"}, {"CONSUL_HTTP_ADDR": "https://b:1234"}, "http://a:8500"),
    ("port beats the variable whole", {"port": 1}, {"CONSUL_HTTP_ADDR": "https://b:1234"}, "http://localhost:1"),
    ("socket beats the variable", {"unix_socket": "/s"}, {"CONSUL_HTTP_ADDR": "https://b:1234"}, "unix:///s"),
    ("host beats a socket of the variable", {"host": "a"}, {"CONSUL_HTTP_ADDR": "unix:///s"}, "http://a:8500"),
    ("ssl turns http into https", {}, {"CONSUL_HTTP_SSL": "true"}, "https://localhost:8500"),
    ("ssl for a host of ours", {"host": "a"}, {"CONSUL_HTTP_SSL": "1"}, "https://a:8500"),
    ("ssl over http in the variable", {}, {"CONSUL_HTTP_ADDR": "http://b:1", "CONSUL_HTTP_SSL": "on"}, "https://b:1"),
    ("ssl false leaves https", {}, {"CONSUL_HTTP_ADDR": "https://b:1", "CONSUL_HTTP_SSL": "false"}, "https://b:1"),
    ("ssl false leaves scheme", {"scheme": "https"}, {"CONSUL_HTTP_SSL": "false"}, "https://localhost:8500"),
    ("ssl empty", {}, {"CONSUL_HTTP_SSL": ""}, "http://localhost:8500"),
    ("http by option stays", {"scheme": "http"}, {"CONSUL_HTTP_SSL": "true"}, "http://localhost:8500"),
    ("https by option, http in the variable", {"scheme": "https"}, {"CONSUL_HTTP_ADDR": "http://b:1"}, "https://b:1"),
    ("http by option, https in the variable", {"scheme": "http"}, {"CONSUL_HTTP_ADDR": "https://b:1"}, "http://b:1"),
    ("ssl has no say in a socket", {"unix_socket": "/s"}, {"CONSUL_HTTP_SSL": "true"}, "unix:///s"),
]


@pytest.mark.parametrize(
    ("given", "environment", "address"), [row[1:] for row in ADDRESSES], ids=[r[0] for r in ADDRESSES]
)
def test_address(given: dict[str, Any], environment: dict[str, str], address: str) -> None:
    connection = connection_from(params(**given), environment)

    assert connection.address == address
    assert not connection.unix_socket or connection.scheme == "http"


BAD_ADDRESSES = [
    *["ftp://b:1", "b:port", "b:99999", "http://", "http://:1", "b:0", "b:", ":1", "unix://", "b:1:2", "[b]:1", "[::1"],
    *["http://::1:x", "http://b:1/c?d", "http://b:1/c#d", "http://b?x", "a b", "a\nb", "a\x1bb", "b/c//d", "b:\u0661"],
    *["http://u@b", "b\\c", "http//b:1", "https:b"],
]


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=ascii)
@pytest.mark.parametrize("source", ["host", "CONSUL_HTTP_ADDR"])
def test_an_address_that_makes_no_sense_is_refused(address: str, source: str) -> None:
    told = {source: address}
    with pytest.raises(OptionError, match=f"^{source}: ") as caught:
        connection_from(params(**told), {}) if source == "host" else connection_from(params(), told)

    assert caught.value.hint


CONTRADICTIONS = [
    {"host": "a:1", "port": 2},
    {"host": "http://a", "scheme": "https"},
    {"host": "unix:///s", "port": 1},
    {"host": "unix:///s", "scheme": "http"},
]


@pytest.mark.parametrize("given", CONTRADICTIONS, ids=str)
def test_a_host_that_says_something_else_than_its_neighbours_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="contradict each other"):
        connection_from(params(**given), {})


@pytest.mark.parametrize("address", ["ftp://user:{}@b:1", "http://user:{}@b:1", "http://user:{}/@b", "b:1/?token={}"])
@pytest.mark.parametrize("source", ["host", "CONSUL_HTTP_ADDR"])
def test_a_secret_in_the_address_is_not_repeated(address: str, source: str) -> None:
    told = {source: address.format(SECRET)}
    with pytest.raises(OptionError) as caught:
        connection_from(params(**told), {}) if source == "host" else connection_from(params(), told)

    assert SECRET not in caught.value.as_text()
    assert SECRET not in str(caught.value.as_failure())


BAD_OPTIONS = [
    ({"port": 0}, "port"),
    ({"port": 65536}, "port"),
    ({"port": -1}, "port"),
    ({"host": ""}, "host"),
    ({"timeout": 0}, "timeout"),
    ({"retries": -1}, "retries"),
    ({"retry_delay": -0.5}, "retry_delay"),
]


@pytest.mark.parametrize(("given", "named"), BAD_OPTIONS, ids=str)
def test_an_option_out_of_range_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(OptionError, match=named) as caught:
        connection_from(params(**given), {})

    assert caught.value.as_failure()["kind"] == "option"


VERIFY = [
    (None, {}, True),
    (None, {"CONSUL_HTTP_SSL_VERIFY": ""}, True),
    (None, {"CONSUL_HTTP_SSL_VERIFY": "true"}, True),
    *((None, {"CONSUL_HTTP_SSL_VERIFY": word}, False) for word in ("false", "0", "f", "no", "off", "FALSE", " False ")),
    (True, {"CONSUL_HTTP_SSL_VERIFY": "false"}, True),
    (False, {"CONSUL_HTTP_SSL_VERIFY": "true"}, False),
    (False, {}, False),
]


@pytest.mark.parametrize(("option", "environment", "expected"), VERIFY, ids=str)
def test_validate_certs(option: bool | None, environment: dict[str, str], expected: bool) -> None:
    assert connection_from(params(validate_certs=option), environment).validate_certs is expected


@pytest.mark.parametrize("variable", ["CONSUL_HTTP_SSL", "CONSUL_HTTP_SSL_VERIFY"])
def test_a_truth_value_that_is_none_is_refused(variable: str) -> None:
    with pytest.raises(OptionError, match=variable):
        connection_from(params(), {variable: "perhaps"})


# Option, the variables that stand in for it, the first one first.
PLAIN = [
    ("ca_path", ["CONSUL_CACERT", "CONSUL_CAPATH"]),
    ("client_cert", ["CONSUL_CLIENT_CERT"]),
    ("client_key", ["CONSUL_CLIENT_KEY"]),
    ("tls_server_name", ["CONSUL_TLS_SERVER_NAME"]),
]


@pytest.mark.parametrize(("option", "variables"), PLAIN, ids=[row[0] for row in PLAIN])
def test_the_environment_is_the_last_resort(option: str, variables: list[str]) -> None:
    environment = {variable: f"from {variable}" for variable in variables}

    def found(given: dict[str, Any], told: dict[str, str]) -> Any:
        return getattr(connection_from(params(**given), told), option)

    assert found({}, {}) is None
    assert found({option: "given"}, environment) == "given"
    assert found({option: ""}, environment) == f"from {variables[0]}"
    assert found({}, {**environment, variables[0]: ""}) == (f"from {variables[1]}" if variables[1:] else None)
    for variable in variables:
        assert found({}, {variable: "alone"}) == "alone"


TOKENS = [
    ("none", {}, {}, None),
    ("option", {"token": "o"}, {"CONSUL_HTTP_TOKEN": "e", "CONSUL_HTTP_TOKEN_FILE": "{e}"}, "o"),
    ("file", {"token_file": "{o}"}, {"CONSUL_HTTP_TOKEN": "e", "CONSUL_HTTP_TOKEN_FILE": "{e}"}, "of-o"),
    ("variable", {}, {"CONSUL_HTTP_TOKEN": "e"}, "e"),
    ("both variables", {}, {"CONSUL_HTTP_TOKEN": "e", "CONSUL_HTTP_TOKEN_FILE": "{e}"}, "of-e"),
    ("newline in the option", {"token": "o\n"}, {}, "o"),
    ("newline in the variable", {}, {"CONSUL_HTTP_TOKEN": " e\r\n"}, "e"),
    ("variable of a file", {}, {"CONSUL_HTTP_TOKEN_FILE": "{e}"}, "of-e"),
    ("empty variable", {}, {"CONSUL_HTTP_TOKEN": "", "CONSUL_HTTP_TOKEN_FILE": "{e}"}, "of-e"),
    ("empty option", {"token": ""}, {"CONSUL_HTTP_TOKEN": "e"}, "e"),
    ("empty everything", {"token": ""}, {"CONSUL_HTTP_TOKEN": "", "CONSUL_HTTP_TOKEN_FILE": ""}, None),
]


@pytest.mark.parametrize(("given", "environment", "token"), [row[1:] for row in TOKENS], ids=[row[0] for row in TOKENS])
def test_token(given: dict[str, str], environment: dict[str, str], token: str | None, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("o", "e")}
    for name, path in places.items():
        # An editor leaves a newline at the end.
        path.write_text(f"of-{name}\n")
    given = {name: value.format(**places) for name, value in given.items()}
    environment = {name: value.format(**places) for name, value in environment.items()}

    assert connection_from(params(**given), environment).token == token


@pytest.mark.parametrize(
    "token", [f"{SECRET} x", f"{SECRET}\r\nX-Evil: 1", f"{SECRET}é", f"{SECRET}\x1b[0m"], ids=ascii
)
@pytest.mark.parametrize("source", ["token", "CONSUL_HTTP_TOKEN"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token: str, source: str) -> None:
    given = {"token": token} if source == "token" else {}
    with pytest.raises(OptionError, match=source) as caught:
        connection_from(params(**given), {"CONSUL_HTTP_TOKEN": token})

    assert SECRET not in caught.value.as_text()


AUTHS = [("u:p", "u:p"), ("u:p:q", "u:p:q"), ("u", "u:"), ("ü:p\n", "ü:p"), ("", None)]


@pytest.mark.parametrize(("told", "expected"), AUTHS, ids=ascii)
def test_basic_auth(told: str, expected: str | None) -> None:
    connection = connection_from(params(), {"CONSUL_HTTP_AUTH": told})

    assert connection.basic_auth == expected
    assert not expected or expected not in repr(connection)


def test_basic_auth_that_no_header_can_hold_is_refused_and_not_shown() -> None:
    with pytest.raises(OptionError, match="CONSUL_HTTP_AUTH") as caught:
        connection_from(params(), {"CONSUL_HTTP_AUTH": f"u:{SECRET}\nx"})

    assert SECRET not in caught.value.as_text()


FILES = [
    ("empty", b"\n"),
    ("no text", b"\xff\xfe" + SECRET.encode()),
    ("two lines", SECRET.encode() + b"\n" + SECRET.encode()),
]


@pytest.mark.parametrize("content", [row[1] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_without_a_token_is_refused_by_its_path(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(OptionError, match=str(path)) as caught:
        connection_from(params(token_file=str(path)), {})

    assert SECRET not in caught.value.as_text()


def test_a_token_file_that_is_not_there_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="No such file"):
        connection_from(params(token_file=str(tmp_path / "absent")), {})


def test_a_connection_never_shows_its_token() -> None:
    connection = connection_from(params(token=SECRET), {})

    assert connection.token == SECRET
    assert SECRET not in f"{connection!r} {connection} {connection.address}"


def test_numbers_arrive_as_given() -> None:
    connection = connection_from(params(timeout=7, retries=0, retry_delay=0.25), {})

    assert (connection.timeout, connection.retries, connection.retry_delay) == (7, 0, 0.25)


def test_a_module_adds_its_own_options() -> None:
    spec = connection_spec(dest={"type": "path"})

    assert set(spec["argument_spec"]) == {*CONNECTION_OPTIONS, "dest"}
