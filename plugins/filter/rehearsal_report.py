# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_report
short_description: Put the results of rehearsals together into one report
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Takes what M(disaster_recovery.consul.snapshot_rehearse) returned for each archive of each cluster, and returns the
    report of all of them. The role P(disaster_recovery.consul.rehearsal#role) writes it as C(report.json).
  - Its shape is described by C(roles/rehearsal/files/report.schema.json). It holds names and numbers, no value and no
    secret.
positional: _input
options:
  _input:
    description:
      - What was rehearsed, one entry for each host.
    type: list
    elements: dict
    required: true
    suboptions:
      cluster:
        description: Name of the cluster; entries of one name are put together.
        type: str
        required: true
      host:
        description: Host of the inventory.
        type: str
        required: true
      rehearsals:
        description:
          - The archives, each with C(archive) (its path), C(result) (what the module returned) and, if there is one,
            C(manifest) (the text of the manifest beside it). When the manifest is this archive's, it tells when the
            content was last seen to be the cluster's.
        type: list
        elements: dict
      problem:
        description: Why there is nothing to rehearse, or what else was not well.
        type: str
      max_rto:
        description: Seconds within which the cluster has to be back; no target when it is V(0) or null.
        type: float
      max_age:
        description: Seconds that its newest archive may be old; no target when it is V(0) or null.
        type: int
  at:
    description: When the rehearsals were done, as C(2026-11-23T02:15:00Z).
    type: str
    required: true
  lost:
    description: Hosts that failed before anything could be rehearsed, each with its cluster's name (its own if empty).
    type: dict
    default: {}
  earlier:
    description: Earlier reports, as text or as data. What is none of this version is left out.
    type: list
    elements: raw
    default: []
  shown:
    description: How many earlier reports make the history.
    type: int
    default: 30
seealso:
  - module: disaster_recovery.consul.snapshot_rehearse
"""

EXAMPLES = r"""
- name: Put the results of two hosts together
  ansible.builtin.set_fact:
    report: >-
      {{ [{'cluster': 'production', 'host': 'consul-1', 'max_rto': 60, 'max_age': 86400,
           'rehearsals': [{'archive': archive, 'confirmed_at': none, 'result': rehearsed}]}]
         | disaster_recovery.consul.rehearsal_report(at='2026-11-23T02:15:00Z') }}
  vars:
    archive: /srv/consul-archives/production/dc1-20261123T021500Z-3135.snap
"""

RETURN = r"""
_value:
  description:
    - The report. RV(_value.passed) tells whether every cluster would come back and met every target,
      RV(_value.verdict) says so in a sentence, RV(_value.clusters) holds the clusters, the gravest first.
  type: dict
  contains:
    passed:
      description: Whether every cluster would come back and every target was met.
      type: bool
    verdict:
      description: The same in a sentence.
      type: str
    clusters:
      description: The clusters, each with C(cluster), C(state), C(sentence), C(advice), C(rto), C(age).
      type: list
      elements: dict
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils import _manifest
from ..module_utils._errors import SnapshotError
from ..module_utils._report import build_report
from ..module_utils._times import from_text, to_text


def rehearsal_report(
    entries: Any,
    *,
    at: str,
    lost: Mapping[str, str] | None = None,
    earlier: Iterable[Any] = (),
    shown: int = 30,
) -> dict[str, Any]:
    """Return the report; see DOCUMENTATION."""
    if not isinstance(entries, list) or not all(isinstance(one, Mapping) for one in entries):
        raise AnsibleFilterError("rehearsal_report wants a list of what the hosts brought back")
    try:
        past = [read for read in map(_read, earlier) if read is not None]
        entries = [*map(_confirmed, entries), *(_gone(host, cluster) for host, cluster in (lost or {}).items())]
        return build_report(entries, now=from_text(str(at)), earlier=past, shown=int(shown))
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"rehearsal_report can't make a report of this: {error!r}") from error


def _read(told: Any) -> Any:
    """An earlier report that was cut, or that somebody edited, is no reason to go without the new one."""
    if not isinstance(told, (str, bytes)):
        return told
    try:
        return json.loads(told)
    except ValueError:
        return None


def _gone(host: str, cluster: str) -> dict[str, Any]:
    return {"cluster": cluster or host, "host": host, "problem": "the host failed before anything could be rehearsed"}


def _confirmed(entry: Mapping[str, Any]) -> dict[str, Any]:
    rehearsals = [{**one, "confirmed_at": _confirmed_at(one)} for one in entry.get("rehearsals") or ()]
    return {**entry, "rehearsals": rehearsals}


def _confirmed_at(told: Mapping[str, Any]) -> str | None:
    """A manifest of other bytes, or none at all, confirms nothing."""
    if not told.get("manifest"):
        return told.get("confirmed_at")
    try:
        manifest = _manifest.decode(str(told["manifest"]).encode())
    except SnapshotError:
        return None
    return to_text(manifest.confirmed_at) if manifest.sha256 == (told.get("result") or {}).get("sha256") else None


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_report": rehearsal_report}
