# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of archives that are rehearsed, and what is read back of the reports and metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
from prometheus_client.parser import text_string_to_metric_families

from env import places
from lab import binaries
from support.archives import STATE, cut_inside
from support.copies import MANIFEST, copy_for, put_copy
from support.playbooks import Ansible, Played

SCHEMA = places.CHECKOUT / "roles" / "rehearsal" / "files" / "report.schema.json"


class Yard(NamedTuple):
    """Directories of archives, one for each cluster, and where the reports go."""

    ansible: Ansible
    source: Path
    root: Path

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def archive(
        self,
        cluster: str,
        *,
        name: str | None = None,
        place: str | None = None,
        cut: bool = False,
        confirmed: bool = True,
        meta: dict[str, Any] | None = None,
        **manifest: Any,
    ) -> Path:
        """Put an archive of a cluster into its directory, or into another place, whole or cut short."""
        directory = self.root / "archives" / (place or cluster)
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / (name or self.source.name)
        data = copy_for(self.source.read_bytes(), cluster, **(meta or {}))
        text = Path(f"{self.source}{MANIFEST}").read_text(encoding="utf-8") if confirmed else None
        put_copy(data, text, path, name=cluster, data=cut_inside(data, STATE) if cut else None, **manifest)
        return path

    def inventory(self, hosts: dict[str, dict[str, Any]], **variables: Any) -> Path:
        """Write an inventory of archive directories."""
        common = {
            "rehearsal_dir": f"{self.root}/archives/{{{{ inventory_hostname }}}}",
            "rehearsal_report_dir": str(self.reports),
            "rehearsal_consul_binary": str(binaries.consul()),
        }
        return self.ansible.inventory(hosts, **{**common, **variables})

    def report(self) -> dict[str, Any]:
        """Return the newest report, which must be as the schema says."""
        report: dict[str, Any] = json.loads((self.reports / "report.json").read_text(encoding="utf-8"))
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        jsonschema.validate(report, schema, cls=jsonschema.Draft202012Validator)
        assert report["verdict"] in (self.reports / "report.html").read_text(encoding="utf-8")
        return report

    def cluster(self, name: str) -> dict[str, Any]:
        """Return what the newest report says of a cluster."""
        return next(one for one in self.report()["clusters"] if one["cluster"] == name)


def failed_hosts(played: Played) -> set[str]:
    """The hosts that failed."""
    return {host for host, counts in played.recap.items() if counts["failed"]}


def samples(path: Path) -> dict[tuple[str, ...], float]:
    """Read a textfile with Prometheus' own parser: name, cluster and further labels to values."""
    assert path.stat().st_mode & 0o7777 == 0o644
    assert [one.name for one in path.parent.glob("*.prom*")] == [path.name]
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            labels = dict(sample.labels)
            labels.pop("datacenter")
            found[(sample.name, labels.pop("cluster"), *labels.values())] = sample.value
    return found
