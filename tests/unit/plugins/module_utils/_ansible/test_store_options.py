# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the options of stores and of sealing become settings, and what must never be shown of them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.store_options import (
    FITTING,
    STORE_OPTIONS,
    require_fitting,
    sealing_settings,
    secrets_in,
    store_settings,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import (
    ObjectLock,
    SealingSettings,
    StoreSettings,
)

SECRET = "c3VwZXJzZWNyZXQ="


def given(**told: Any) -> dict[str, Any]:
    """Return what AnsibleModule makes of the settings that a user gave."""
    options = STORE_OPTIONS["store"]["options"]
    return {"store": {**{name: spec.get("default") for name, spec in options.items()}, **told}}


def test_without_the_option_the_settings_are_the_defaults_of_its_suboptions() -> None:
    assert store_settings({"store": None}) == store_settings({}) == store_settings(given()) == StoreSettings()


def test_every_setting_has_its_option() -> None:
    assert set(STORE_OPTIONS["store"]["options"]) == set(StoreSettings._fields)


def test_settings_arrive_as_they_were_given() -> None:
    lock = {"mode": "COMPLIANCE", "days": 30}
    settings = store_settings(given(endpoint_url="https://[::1]:9000", region="eu", timeout=7, object_lock=lock))

    assert settings == StoreSettings(
        endpoint_url="https://[::1]:9000", region="eu", timeout=7, object_lock=ObjectLock("COMPLIANCE", 30)
    )


def test_a_second_store_is_read_from_its_own_option() -> None:
    assert store_settings({"store": None, "dest_store": given(region="eu")["store"]}, "dest_store").region == "eu"


def test_an_empty_text_counts_as_not_set() -> None:
    assert store_settings(given(region="", secret_key="")) == StoreSettings()


REFUSED = [
    ({"timeout": 0}, "store.timeout must be 1 or more"),
    ({"retries": -1}, "store.retries must be 0 or more"),
    ({"object_lock": {"mode": "COMPLIANCE", "days": 0}}, "store.object_lock.days must be between 1 and"),
    ({"object_lock": {"mode": "COMPLIANCE", "days": 36501}}, "store.object_lock.days must be between 1 and"),
    *(
        ({"endpoint_url": url}, "store.endpoint_url is not an http or https URL")
        for url in ("s3.example.com", "ftp://x", "https://", "https://a b", "http://[::1", "https://a\nb", "http://a:x")
    ),
    ({"account_url": "https://a:0"}, "store.account_url has no usable port"),
]


@pytest.mark.parametrize(("told", "message"), REFUSED, ids=str)
def test_what_can_not_be_used_is_refused_by_name(told: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        store_settings(given(**told))

    assert caught.value.hint


@pytest.mark.parametrize(
    "url", [f"https://user:{SECRET}@a", f"https://a?sig={SECRET}", f"https://a#{SECRET}", f"ftp://{SECRET}@a"]
)
@pytest.mark.parametrize("name", ["endpoint_url", "account_url"])
def test_a_secret_in_an_address_is_refused_and_not_repeated(name: str, url: str) -> None:
    with pytest.raises(OptionError, match=f"store.{name}") as caught:
        store_settings(given(**{name: url}))

    assert SECRET not in caught.value.as_text()


def test_every_setting_has_an_effect_somewhere() -> None:
    assert frozenset().union(*FITTING.values()) == set(StoreSettings._fields)


LOST = [
    ("gs://b/", {"region": "eu"}, "store.region has no effect for gs://"),
    ("az://b/", {"access_key": "a", "secret_key": SECRET}, "store.access_key and store.secret_key"),
    ("s3://b/", {"sas_token": SECRET}, "store.sas_token has no effect for s3://"),
    ("s3://b/", {"credentials_file": "/x"}, "store.credentials_file has no effect for s3://"),
]


@pytest.mark.parametrize(("url", "told", "message"), LOST, ids=str)
def test_a_setting_without_an_effect_is_refused_by_name(url: str, told: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        require_fitting(store_settings(given(**told)), [parse_location(url, "path")])

    assert SECRET not in caught.value.as_text()


def test_a_setting_that_one_of_two_places_needs_is_accepted() -> None:
    both = [parse_location(url, "path") for url in ("s3://b/", "gs://b/")]

    require_fitting(store_settings(given(region="eu", project="p")), both)


def test_a_local_path_does_without_settings_and_minds_none() -> None:
    require_fitting(store_settings(given(region="eu")), [parse_location("/var/backups", "path")])


def test_secrets_are_found_in_settings_and_in_the_environment() -> None:
    connection = f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET};EndpointSuffix=x"
    settings = store_settings(given(connection_string=connection, session_token="t0ken"))
    environment = {"AWS_SECRET_ACCESS_KEY": "from-outside", "AWS_SESSION_TOKEN": "", "AWS_REGION": "eu", "X": " "}

    assert secrets_in(settings, environment) == {connection, SECRET, "t0ken", "from-outside"}


@pytest.mark.parametrize("sas", ["sv=1&sig=a%2Fb%3D", "?sv=1&sig=a%2Fb%3D", "sig=a%2Fb%3D&sv=1"])
def test_a_signature_is_a_secret_as_it_is_written_and_as_it_is_meant(sas: str) -> None:
    assert secrets_in(store_settings(given(sas_token=sas)), {}) == {sas, "a%2Fb%3D", "a/b="}


def test_settings_never_show_a_secret() -> None:
    assert SECRET not in f"{store_settings(given(secret_key=SECRET))!r} {store_settings(given(sas_token=SECRET))}"


def test_sealing_takes_what_a_module_has() -> None:
    assert sealing_settings({}) == SealingSettings()
    assert sealing_settings({"encrypt_to": [" age1x ", "age1y"], "identity_file": "", "signing_key": "/k"}) == (
        SealingSettings(recipients=("age1x", "age1y"), signing_key="/k")
    )
    assert sealing_settings({"encrypt_to_file": "/r", "allowed_signers": "/s", "revoked_signers": "/v"}) == (
        SealingSettings(recipients_file="/r", allowed_signers="/s", revoked_signers="/v")
    )


@pytest.mark.parametrize("recipients", [[""], ["age1x", " "]])
def test_an_empty_recipient_is_refused(recipients: list[str]) -> None:
    with pytest.raises(OptionError, match="encrypt_to has an empty recipient"):
        sealing_settings({"encrypt_to": recipients})
