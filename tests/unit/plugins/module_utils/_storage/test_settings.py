# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as values: what of them is secret, and that it is never shown."""

from __future__ import annotations

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import (
    SealingSettings,
    StoreSettings,
)


def test_secrets_are_named_and_not_shown() -> None:
    settings = StoreSettings(
        access_key="AKID", secret_key="s1", session_token="s2", account_key="s3", sas_token="s4", connection_string="s5"
    )
    assert settings.secrets == {"s1", "s2", "s3", "s4", "s5"}
    assert StoreSettings().secrets == frozenset()
    for shown in (repr(settings), str(settings), f"{settings}", repr([settings]), f"{settings!r:>30}"):
        assert not any(secret in shown for secret in settings.secrets)


def test_who_encrypts() -> None:
    assert not SealingSettings(identity_file="/k", signing_key="/s").encrypts
    assert SealingSettings(recipients=("age1x",)).encrypts
    assert SealingSettings(recipients_file="/r").encrypts
