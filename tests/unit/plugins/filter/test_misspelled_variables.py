# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that are nearly a role's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.misspelled_variables import misspelled_variables

ROLES = Path(__file__).resolve().parents[4] / "roles"


def said(role: str, *names: str, others: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    specs = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    found = misspelled_variables(names, specs=specs, others=others)
    return [(one["name"], one["nearest"]) for one in found]


@pytest.mark.parametrize(
    ("role", "name", "nearest"),
    [
        ("backup", "backup_fetch_too", "backup_fetch_to"),
        ("backup", "backup_conection", "backup_connection"),
        ("backup", "backup_dirs", "backup_dir"),
        ("backup", "backup_max_ages", "backup_max_age"),
        ("backup", "backup_skip_unchaged", "backup_skip_unchanged"),
        ("backup", "backup_upgrade_consull", "backup_upgrade_consul"),
        ("backup", "backup_dri", "backup_dir"),
        ("backup", "backup_dets", "backup_dest"),
        ("backup", "backup_moed", "backup_mode"),
        ("backup", "backup_Dir", "backup_dir"),
        ("restore", "restore_scr", "restore_src"),
        ("restore", "restore_accept_risk", "restore_accept_risks"),
        ("restore", "restore_scr_on", "restore_src_on"),
        ("rehearsal", "rehearsal_max_rpo", "rehearsal_max_rto"),
    ],
)
def test_near_ones_are_named(role: str, name: str, nearest: str) -> None:
    assert said(role, name, "ansible_host") == [(name, nearest)]


@pytest.mark.parametrize(
    "name",
    ["backup_retention", "backup_result", "backup_user", "backup_enabled", "backup_schedule", "backup", "backup_"],
)
def test_what_belongs_to_somebody_else_is_left_alone(name: str) -> None:
    assert said("backup", name) == []


@pytest.mark.parametrize("role", ["backup", "restore", "rehearsal"])
def test_the_roles_own_names_are_right(role: str) -> None:
    own = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert said(role, *own) == []


def test_others_are_left_alone() -> None:
    assert said("backup", "backup_dirs", "backup_fetch_too", others=("backup_dirs",)) == [
        ("backup_fetch_too", "backup_fetch_to")
    ]


def test_what_is_no_list_of_specs() -> None:
    with pytest.raises(AnsibleFilterError, match="misspelled_variables wants"):
        misspelled_variables(["x"], specs={"argument_specs": 5})
