# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as people write them. How they go together with other options: ``_ansible/test_options``."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.address import (
    Address,
    default_port,
    parse_address,
    require_port,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import OptionError

SECRET = "s3cr3t-word"

ADDRESSES = [
    ("a", Address("a")),
    (" a\n", Address("a")),
    ("a:8500", Address("a", 8500)),
    ("a:0080", Address("a", 80)),
    ("http://a", Address("a", None, "http")),
    ("HTTPS://a:1", Address("a", 1, "https")),
    ("https://a/consul/x/", Address("a", None, "https", "/consul/x")),
    ("a/consul", Address("a", None, None, "/consul")),
    ("a/", Address("a")),
    ("192.0.2.1:1", Address("192.0.2.1", 1)),
    ("::1", Address("::1")),
    ("[::1]", Address("::1")),
    ("[::1]:1", Address("::1", 1)),
    ("fe80::1%eth0", Address("fe80::1%eth0")),
    ("http://[2001:db8::1]:8501/x", Address("2001:db8::1", 8501, "http", "/x")),
    ("unix:///run/consul.sock", Address(unix_socket="/run/consul.sock")),
    ("unix://relative.sock", Address(unix_socket="relative.sock")),
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES, ids=[text for text, _address in ADDRESSES])
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text, "host") == address


REFUSED = [
    ("", "no host"),
    (":8500", "no host"),
    ("http://", "no host"),
    ("unix://", "no socket"),
    ("ftp://a", "the scheme of the address is not http, https or unix"),
    ("a b", "white space or control characters"),
    ("a\x1b[31m", "white space or control characters"),
    (f"http://user:{SECRET}@a", "credentials"),
    (f"a/{SECRET}@x", "credentials"),
    (f"http://a/?token={SECRET}", "the path of the address is not valid"),
    ("a/x//y", "the path of the address is not valid"),
    ("a/x#y", "the path of the address is not valid"),
    (f"a?{SECRET}", "the host of the address is not valid"),
    ("[::1", "the host of the address is not valid"),
    ("[a]:1", "the host of the address is not valid"),
    ("::1:8500:x", "no host"),
    ("a:b", "the port of the address is not a number"),
    ("a:", "the port of the address is not a number"),
    ("a:-1", "the port of the address is not a number"),
    ("a:\u0661", "the port of the address is not a number"),
    ("a:0", "the port must be between 1 and 65535, got 0"),
    ("a:65536", "the port must be between 1 and 65535, got 65536"),
    ("a:99999999999999999999", "the port must be between 1 and 65535, got 999999"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[repr(text) for text, _words in REFUSED])
def test_what_is_no_address(text: str, words: str) -> None:
    with pytest.raises(OptionError) as raised:
        parse_address(text, "CONSUL_HTTP_ADDR")
    assert raised.value.message.startswith("CONSUL_HTTP_ADDR: ")
    assert words in raised.value.message
    assert raised.value.hint
    # People put passwords into URLs.
    assert SECRET not in raised.value.as_text()


def test_ports() -> None:
    assert [require_port(port, "port") for port in (1, 8500, 65535)] == [1, 8500, 65535]
    for port in (0, -1, 65536):
        with pytest.raises(OptionError, match=f"^port: the port must be between 1 and 65535, got {port}$"):
            require_port(port, "port")
    assert (default_port("http"), default_port("https")) == (80, 443)
