# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example alerts and the dashboard, judged by Prometheus' own tool, and by the metrics that there really are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from env import places

MONITORING = places.CHECKOUT / "docs" / "monitoring"
RULES = MONITORING / "consul-snapshots.rules.yml"
DASHBOARD = MONITORING / "consul-snapshots.dashboard.json"
METRIC = re.compile(r"\bconsul_snapshot_\w+")
LABELS = {"datacenter", "cluster", "phase", "type", "state", "store", "requirement", "kind"}


def checked(promtool: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(promtool), *map(str, arguments)]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=MONITORING
    )


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return read


def expressions() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def test_the_rules_are_rules(promtool: Path, tmp_path: Path) -> None:
    done = checked(promtool, "check", "rules", RULES)
    assert done.returncode == 0, done.stdout
    assert "13 rules found" in done.stdout
    # It does find what is wrong.
    (tmp_path / "rules.yml").write_text(
        RULES.read_text(encoding="utf-8").replace("time() -", "time( -", 1), encoding="utf-8"
    )
    assert checked(promtool, "check", "rules", tmp_path / "rules.yml").returncode != 0


def test_the_rules_do_what_they_say(promtool: Path) -> None:
    done = checked(promtool, "test", "rules", MONITORING / "consul-snapshots.test.yml")
    assert done.returncode == 0, done.stdout


def test_the_dashboard_asks_what_prometheus_understands(promtool: Path, tmp_path: Path) -> None:
    asked = [re.sub(r"\$\w+", ".*", one) for one in expressions()]
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(asked)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    done = checked(promtool, "check", "rules", path)
    assert done.returncode == 0, done.stdout
    assert f"{len(asked)} rules found" in done.stdout


def test_the_format_is_as_prometheus_wants_it(promtool: Path, filters: dict[str, Any]) -> None:
    from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import metrics as _metrics
    from browser.example import NOW
    from browser.example_catalogue import catalogued

    backup = {
        "cluster": "a",
        "datacenter": "dc1",
        "changed": True,
        "size": 5,
        "records": {"KVS": {"count": 3, "size": 9}},
    }
    samples = _metrics.of_report(filters["rehearsal_report"](catalogued(), at=NOW))
    samples += _metrics.of_backups(
        [backup], ["a", "never"], 2e9, failures={"never": "connection"}, expected=["a", "never"]
    )
    text = _metrics.merge("", samples, 2e9)
    done = subprocess.run([str(promtool), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", [RULES, DASHBOARD, MONITORING.parent / "monitoring.md"], ids=lambda path: path.name)
def test_only_metrics_that_there_are(path: Path) -> None:
    from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.metrics import HELP

    found = set(METRIC.findall(path.read_text(encoding="utf-8")))
    assert found <= set(HELP)
    if path != RULES:
        assert found == set(HELP)


def test_only_labels_that_there_are() -> None:
    texts = [*expressions(), RULES.read_text(encoding="utf-8")]
    used = {label for text in texts for label in re.findall(r"\b(\w+)=~?\"", text)}
    used |= {
        name.strip()
        for text in texts
        for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", text)
        for name in group.split(",")
    }
    assert used <= LABELS


def test_panels_have_numbers_and_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells
        assert max(x for x, _y in own) < 24
        cells |= own
