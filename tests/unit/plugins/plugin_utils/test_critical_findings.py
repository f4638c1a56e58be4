# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Critical findings, in sentences."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.critical_findings import critical_findings


def finding(**more: Any) -> dict[str, Any]:
    """A finding of snapshot_info."""
    return {
        "severity": "critical",
        "effect": "crash",
        "sentence": "two nodes differ in case",
        "names": ["a", 'b"'],
        **more,
    }


def test_a_sentence_for_each_version_and_critical_finding() -> None:
    judged = [
        {"item": "1.8.7", "findings": [finding(), finding(severity="warning")]},
        {"item": "1.22.7", "findings": [finding(effect="untested", names=[])]},
    ]
    assert critical_findings(judged) == [
        'Consul 1.8.7 does not survive a restore of this state: two nodes differ in case ("a", "b\\"")',
        "Consul 1.22.7 may not restore this state: two nodes differ in case ()",
    ]
    assert critical_findings([]) == []


def test_what_is_no_result() -> None:
    with pytest.raises(AnsibleFilterError, match="results of snapshot_info"):
        critical_findings([{"item": "1.8.7"}])
