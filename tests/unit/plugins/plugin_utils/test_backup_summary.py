# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that the role backup says of each cluster."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.backup_summaries import backup_summaries

RESULT: dict[str, Any] = {
    "cluster": "three",
    "host": "server-1",
    "changed": True,
    "reason": "there was no archive of this cluster",
    "archive": "/kept/a.snap",
    "index": 12,
    "size": 4321,
    "confirmed_by_leader": True,
    "fetched": None,
}


def line(check: bool = False, **more: Any) -> str:
    """The line for one result."""
    (said,) = backup_summaries([RESULT | more], check=check)
    return str(said)


def test_what_was_kept() -> None:
    assert line() == "three: kept /kept/a.snap on server-1 (4.3 kB, index 12): there was no archive of this cluster"


def test_what_would_be_kept_or_was_confirmed() -> None:
    assert line(check=True).startswith("three: would keep /kept/a.snap on")
    assert line(changed=False).startswith("three: confirmed /kept/a.snap on")
    assert line(changed=False, check=True).startswith("three: confirmed /kept/a.snap on")


def test_where_the_copy_is_and_what_is_in_doubt() -> None:
    assert line(fetched="/vault/a.snap").endswith("; on the controller: /vault/a.snap")
    assert "may be behind the cluster" in line(confirmed_by_leader=False)


def test_the_stores_that_have_it_and_those_that_have_not() -> None:
    copies = [
        {"path": "s3://a/", "archive": "s3://a/x.snap", "made": True, "changed": True, "problem": ""},
        {"path": "/mnt/b", "archive": None, "made": False, "changed": False, "problem": "/mnt/b (full)"},
        {"path": "/vault", "archive": "/vault/a.snap", "made": True, "changed": False, "problem": ""},
    ]
    said = line(copies=copies, missing_copies=["/mnt/b (full)"], fetched="/vault/a.snap", sealed=True)
    assert "(4.3 kB, encrypted, index 12)" in said
    assert said.endswith("; copies in s3://a/; on the controller: /vault/a.snap. NOT in every store: /mnt/b (full)")
    assert "NOT" not in line(copies=copies[:1], missing_copies=[])
    would = [{"path": "s3://a/", "archive": None, "made": False, "changed": True, "problem": ""}]
    assert line(copies=would, check=True).endswith("; would be copied to s3://a/")


def test_hosts_without_a_result_and_results_that_a_terminal_would_obey() -> None:
    assert backup_summaries([{}]) == []
    assert "\x1b" not in line(reason="\x1b[2J")


def test_what_is_no_result() -> None:
    with pytest.raises(AnsibleFilterError, match="facts of the role backup"):
        backup_summaries([{"cluster": "three"}])
