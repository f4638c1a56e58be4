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
        description: What was rehearsed, each with C(archive) (its path) and C(result) (what the module returned).
        type: list
        elements: dict
      archives:
        description:
          - The cluster's archives, as M(disaster_recovery.consul.snapshot_list) returned them. They say when a content
            was last confirmed to be the cluster's, and of which Consul cluster each archive is. Two names for one
            Consul cluster, or one name for two, are an error of the clusters that are named so.
        type: list
        elements: dict
      skipped:
        description: What the module left out, as it returned it.
        type: list
        elements: dict
      pick:
        description: Which archives were asked for, as in the role's C(rehearsal_pick).
        type: str
        default: newest
      missing:
        description: That there is no archive, in a sentence, when it was looked for and none was found.
        type: str
      problem:
        description: Why archives could not be read, or what else failed.
        type: str
      max_rto:
        description: Seconds within which the cluster has to be back; no target when it is V(0) or null.
        type: float
      max_age:
        description: Seconds that its newest archive may be old; no target when it is V(0) or null.
        type: int
      catalogue:
        description:
          - What was seen of the cluster's archives in each store. C(store) is its path or URL, C(on) the host that a
            path is on, C(listed) what M(disaster_recovery.consul.snapshot_list) returned, and C(pruned) what
            M(disaster_recovery.consul.snapshot_prune) returned in check mode.
        type: list
        elements: dict
      signed_only:
        description: Whether archives in the catalogue count only with the signature of an allowed signer.
        type: bool
        default: false
      slo:
        description: The service level of the cluster, as in the role's C(rehearsal_slo).
        type: dict
  at:
    description: When the rehearsals were done, as C(2026-11-23T02:15:00Z).
    type: str
    required: true
  lost:
    description: Hosts that failed before anything could be rehearsed, each with its cluster's name (its own if empty).
    type: dict
    default: {}
  lost_slo:
    description: The service levels that the clusters of O(lost) are held to, by host.
    type: dict
    default: {}
  earlier:
    description: Earlier reports, as text or as data. What is not a report of this version is left out.
    type: list
    elements: raw
    default: []
  history:
    description:
      - Directory of earlier reports, named by their time as the role names them. The newest O(shown) of them are read.
        What is larger than 64 MB, or not a regular file, is left out.
    type: path
  shown:
    description: How many earlier reports make the history.
    type: int
    default: 30
  limited:
    description: Whether the run left clusters out on purpose.
    type: bool
    default: false
  hosts:
    description:
      - Hosts of the inventory. With them, the report also has the clusters of these hosts that the run left out, as
        earlier reports in O(history) knew them, back to the newest that is not limited.
    type: list
    elements: str
  without:
    description: Name of a file in O(history) that is not read, such as the report of this run alone.
    type: str
    default: ""
seealso:
  - module: disaster_recovery.consul.snapshot_rehearse
"""

EXAMPLES = r"""
- name: Put the results of two hosts together
  ansible.builtin.set_fact:
    report: >-
      {{ [{'cluster': 'production', 'host': 'consul-1', 'max_rto': 60, 'max_age': 86400,
           'archives': listed.archives, 'rehearsals': [{'archive': archive, 'result': rehearsed}]}]
         | disaster_recovery.consul.rehearsal_report(at='2026-11-23T02:15:00Z') }}
  vars:
    archive: /srv/consul-archives/production/dc1-20261123T021500Z-3135.snap
"""

RETURN = r"""
_value:
  description:
    - The report. RV(_value.passed) says whether every cluster would come back and met every target,
      RV(_value.verdict) says so in a sentence, RV(_value.clusters) holds the clusters, the most severe first.
  type: dict
  contains:
    passed:
      description: Whether every cluster would come back and every target was met.
      type: bool
    verdict:
      description: The same in a sentence.
      type: str
    clusters:
      description: The clusters, each with C(cluster), C(state), C(sentence), C(advice), C(rto), C(age), C(stores) and
        C(slo).
      type: list
      elements: dict
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._operations.report.history import known_of, read
from ..module_utils._times import from_text
from ..plugin_utils._report import build_report

_NAMED = re.compile(r"\d{8}T\d{6}Z(-[0-9a-f]+)?\.json")
_LIMIT = 64_000_000
_SEARCHED = 400
"""Reports of limited runs that are read at most, until one of all clusters is found."""


def rehearsal_report(
    entries: Any,
    *,
    at: str,
    lost: Mapping[str, str] | None = None,
    lost_slo: Mapping[str, Any] | None = None,
    earlier: Iterable[Any] = (),
    history: str | None = None,
    shown: int = 30,
    limited: bool = False,
    hosts: Iterable[str] | None = None,
    without: str = "",
) -> dict[str, Any]:
    """Return the report; see DOCUMENTATION."""
    if not isinstance(entries, list) or not all(isinstance(one, Mapping) for one in entries):
        raise AnsibleFilterError("rehearsal_report requires a list of what the hosts brought back")
    try:
        names = _names(history, without) if history else []
        past = map(read, chain(earlier, _texts(history, names[-int(shown) :] if int(shown) > 0 else ())))
        known = None
        if hosts is not None:
            newest_first = map(read, _texts(history, names[: -_SEARCHED - 1 : -1]))
            known = known_of(newest_first, frozenset(map(str, hosts)), from_text(str(at)))
        entries = [*entries, *(_gone(host, name, lost_slo or {}) for host, name in (lost or {}).items())]
        return build_report(
            entries, now=from_text(str(at)), earlier=past, shown=int(shown), known=known, limited=bool(limited)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"rehearsal_report can't make a report of this: {error!r}") from error


def _names(directory: str, without: str) -> list[str]:
    """The names of earlier reports, the oldest first."""
    try:
        return sorted(name for name in os.listdir(directory) if _NAMED.fullmatch(name) and name != without)
    except OSError:
        return []


def _texts(directory: str | None, names: Iterable[str]) -> Iterable[bytes]:
    """The texts of earlier reports. One that can't be read is no reason to go without the new one."""
    for name in names:
        try:
            # A pipe that nobody writes to would be waited for.
            descriptor = os.open(os.path.join(directory or "", name), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            continue
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LIMIT:
            os.close(descriptor)
            continue
        with open(descriptor, "rb") as source:
            yield source.read(_LIMIT)


def _gone(host: str, cluster: str, slo: Mapping[str, Any]) -> dict[str, Any]:
    problem = "the host failed before anything could be rehearsed"
    return {"cluster": cluster or host, "host": host, "problem": problem, "slo": slo.get(host)}


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_report": rehearsal_report}
