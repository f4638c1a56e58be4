# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Azure is reached: what of the settings is used, and what is refused."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import MissingLibraryError, OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.azure_client import (
    account_name,
    connect,
    has_credentials,
    require_account,
    require_library,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import StoreSettings

URL = "https://backups.blob.core.windows.net"
KEY = "c2VjcmV0LW9mLXRoZS10ZXN0cw=="


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, "backups"),
        (f"{URL}/", "backups"),
        ("http://127.0.0.1:10000/devstoreaccount1", "devstoreaccount1"),
        ("https://storage.example:443", "storage"),
    ],
)
def test_the_accounts_name(url: str, expected: str) -> None:
    assert account_name(url) == expected


def test_the_account_is_needed_unless_the_connection_string_has_it() -> None:
    with pytest.raises(OptionError, match=r"store\.account_url"):
        require_account(StoreSettings(account_key=KEY))
    assert require_account(StoreSettings(connection_string="AccountName=a")) is None
    assert require_account(StoreSettings(account_url=f"{URL}/", account_key=KEY)) == URL
    assert require_account(StoreSettings(endpoint_url=URL, account_key=KEY)) == URL


@pytest.mark.parametrize(
    "url", ["backups", f"{URL}?sv=1&sig=verysecret", "https://user:verysecret@host/", "ftp://host", "https://h:port"]
)
def test_a_url_that_can_not_be_one(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        require_account(StoreSettings(account_url=url, account_key=KEY))
    assert "verysecret" not in caught.value.as_text()


def test_an_access_token_never_goes_over_plain_http() -> None:
    with pytest.raises(OptionError, match="without TLS"):
        require_account(StoreSettings(account_url="http://backups.example"))


def test_what_counts_as_credentials() -> None:
    assert has_credentials(StoreSettings(sas_token="sv=1"))
    assert has_credentials(StoreSettings(account_key=KEY))
    assert has_credentials(StoreSettings(connection_string="x"))
    assert not has_credentials(StoreSettings(account_url=URL))


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    require_library(StoreSettings(account_key=KEY))
    with pytest.raises(MissingLibraryError, match="azure-identity"):
        require_library(StoreSettings())
    monkeypatch.setitem(sys.modules, "azure.storage.blob", None)
    with pytest.raises(MissingLibraryError, match="azure-storage-blob"):
        require_library(StoreSettings(account_key=KEY))


def test_a_connection_string_that_is_none_is_not_quoted() -> None:
    with pytest.raises(OptionError) as caught:
        connect(StoreSettings(connection_string="AccountKey verysecret"))
    assert "verysecret" not in caught.value.as_text()


def test_a_sas_token_is_no_part_of_the_url_that_is_shown() -> None:
    client = connect(StoreSettings(account_url=URL, sas_token="?sv=1&sig=verysecret"))
    assert client.account_name == "backups"
    assert "verysecret" not in client.url
