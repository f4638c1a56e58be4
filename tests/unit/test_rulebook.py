# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook knows the alerts that there are, the page says what it does with each, and it does nothing dangerous.

That ansible-rulebook takes it and runs the playbooks is not shown here: it needs Java, and is not among the tools.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULEBOOK = ROOT / "extensions" / "eda" / "rulebooks" / "consul_alerts.yml"
PAGE = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ((?:`Consul\w+`(?:, )?)+) \| ([^|]+) \|$", re.MULTILINE)


def rules() -> list[dict[str, Any]]:
    (ruleset,) = yaml.safe_load(RULEBOOK.read_text(encoding="utf-8"))
    return list(ruleset["rules"])


def alerts_of(condition: str) -> list[str]:
    return re.findall(r'"(Consul\w+)"', condition)


def test_the_page_says_what_becomes_of_every_alert() -> None:
    groups = yaml.safe_load((ROOT / "docs" / "monitoring" / "consul-snapshots.rules.yml").read_text(encoding="utf-8"))
    alerts = [rule["alert"] for group in groups["groups"] for rule in group["rules"]]
    told = {alert: does for names, does in ROW.findall(PAGE) for alert in re.findall(r"`(\w+)`", names)}
    assert sorted(told) == sorted(alerts)
    for rule in rules():
        playbook, span = rule["action"]["run_playbook"]["name"], rule["throttle"]["once_within"]
        acted = {alert for alert, does in told.items() if f"`{playbook}`" in does and f"once in {span}" in does}
        assert acted == set(alerts_of(rule["condition"]))
    assert {alert for alert, does in told.items() if does.startswith("nothing")} == set(alerts) - {
        alert for rule in rules() for alert in alerts_of(rule["condition"])
    }


def test_it_runs_playbooks_of_this_collection_that_change_no_cluster() -> None:
    names = [rule["action"]["run_playbook"]["name"].rpartition(".") for rule in rules()]
    assert {collection for collection, _dot, _name in names} == {"disaster_recovery.consul"}
    assert {name for _collection, _dot, name in names} == {"backup", "rehearse"}
    assert all((ROOT / "playbooks" / f"{name}.yml").exists() for _collection, _dot, name in names)


def test_only_plain_names_become_a_pattern_of_hosts() -> None:
    for rule in rules():
        (pattern,) = re.findall(r'event\.labels\.cluster is match\("([^"]+)"\)', rule["condition"])
        accepts = re.compile(pattern).match
        assert all(accepts(name) for name in ("production", "dc1.eu-west_2", "7"))
        assert not any(
            accepts(name) for name in ("", "a:!b", "~.*", "!a", "&a", "a,b", "{{ a }}", "@/etc/x", "a b", "-e")
        )
        assert rule["action"]["run_playbook"]["extra_vars"] == {"consul_hosts": "{{ event.labels.cluster }}"}
