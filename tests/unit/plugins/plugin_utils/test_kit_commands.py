# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of a rollback kit: a real shell says which words it reads."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.consul_access import consul_access
from ansible_collections.disaster_recovery.consul.plugins.filter.store_download import store_download


def words(command: str) -> list[str]:
    """Return the words that a shell reads in a command."""
    script = f"printf '%s\\0' {command}"
    done = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        ({}, "http://127.0.0.1:8500"),
        ({"host": "consul.example.com", "port": 8501, "scheme": "https"}, "https://consul.example.com:8501"),
        ({"host": "consul.example.com:1234", "port": 8501}, "http://consul.example.com:1234"),
        ({"host": "::1"}, "http://[::1]:8500"),
        ({"host": "[::1]:99"}, "http://[::1]:99"),
        ({"host": "[::1]"}, "http://[::1]:8500"),
        ({"host": "https://consul.example.com/x"}, "https://consul.example.com/x"),
        ({"host": "ignored", "unix_socket": "/run/consul.sock"}, "unix:///run/consul.sock"),
    ],
)
def test_the_address(connection: dict[str, Any], address: str) -> None:
    assert consul_access(connection)["environment"] == {"CONSUL_HTTP_ADDR": address}


def test_certificates_and_the_call_of_the_api() -> None:
    access = consul_access(
        {
            "ca_path": "/ca.pem",
            "client_cert": "/c.pem",
            "client_key": "/k.pem",
            "tls_server_name": "consul",
            "token": "x",
        }
    )
    assert access["environment"] == {
        "CONSUL_HTTP_ADDR": "http://127.0.0.1:8500",
        "CONSUL_CACERT": "/ca.pem",
        "CONSUL_CLIENT_CERT": "/c.pem",
        "CONSUL_CLIENT_KEY": "/k.pem",
        "CONSUL_TLS_SERVER_NAME": "consul",
    }
    assert access["curl"] == (
        'curl -sS --cacert "$CONSUL_CACERT" --cert "$CONSUL_CLIENT_CERT" --key "$CONSUL_CLIENT_KEY"'
    )
    assert access["api"] == "$CONSUL_HTTP_ADDR"


@pytest.mark.parametrize("given", [False, "no", "false"])
def test_certificates_that_are_not_checked(given: object) -> None:
    access = consul_access({"validate_certs": given, "unix_socket": "/run/consul.sock"})
    assert access["environment"]["CONSUL_HTTP_SSL_VERIFY"] == "false"
    assert access["curl"] == 'curl -sS --unix-socket "${CONSUL_HTTP_ADDR#unix://}" --insecure'
    assert access["api"] == "http://localhost"


def test_from_s3() -> None:
    store = {
        "endpoint_url": "https://s3.example.com:9000",
        "region": "eu-central-1",
        "profile": "backup",
        "ca_path": "/etc/ssl/ca.pem",
        "validate_certs": False,
        "secret_key": "geheim",
        "session_token": "geheim",
    }
    download = store_download("s3://backups/consul/it's $(id)/a.snap.age", store)
    assert (download["program"], download["login"]) == ("aws", "aws configure")
    assert words(download["command"]) == [
        *("aws", "s3", "cp", "--endpoint-url", "https://s3.example.com:9000", "--region", "eu-central-1"),
        *("--profile", "backup", "--ca-bundle", "/etc/ssl/ca.pem", "--no-verify-ssl"),
        *("s3://backups/consul/it's $(id)/a.snap.age", "a.snap.age"),
    ]
    assert words(store_download("s3://b/a.snap", {})["command"]) == ["aws", "s3", "cp", "s3://b/a.snap", "a.snap"]


def test_from_google_and_azure() -> None:
    assert words(store_download("gs://b/x/a.snap", {"credentials_file": "/k"})["command"]) == [
        *("gcloud", "storage", "cp", "gs://b/x/a.snap", "a.snap"),
    ]
    azure = {"account_url": "https://acme.blob.core.windows.net/", "account_key": "geheim"}
    assert words(store_download("az://box/x y/a.snap", azure)["command"]) == [
        *("az", "storage", "blob", "download", "--auth-mode", "login", "--blob-url"),
        *("https://acme.blob.core.windows.net/box/x%20y/a.snap", "--file", "a.snap"),
    ]
    unknown = store_download("az://box/x/a.snap", {"connection_string": "AccountKey=geheim"})["command"]
    assert '--account-name "$ACCOUNT" --container-name box --name x/a.snap' in unknown
    assert "geheim" not in unknown


@pytest.mark.parametrize(
    ("url", "store"),
    [
        ("s3://b/a.snap", {"endpoint_url": "https://key:geheim@s3.example.com"}),
        ("az://b/a.snap", {"account_url": "https://acme.blob.core.windows.net/?sig=geheim"}),
    ],
)
def test_what_may_hold_credentials_is_left_out(url: str, store: dict[str, Any]) -> None:
    assert "geheim" not in store_download(url, store)["command"]


def test_what_is_no_url_of_a_store() -> None:
    with pytest.raises(AnsibleFilterError, match="not a kind of store"):
        store_download("ftp://b/a.snap")
    with pytest.raises(AnsibleFilterError, match="in no store"):
        store_download("/srv/a.snap")
    with pytest.raises(AnsibleFilterError, match="options of a connection"):
        consul_access("http://127.0.0.1")  # type: ignore[arg-type]
