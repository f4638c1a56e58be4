# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a restore: the good ones, and how to change some of them by name."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guards import (
    EXACT,
    ArchiveFacts,
    RestoreFacts,
    TargetFacts,
)

ARCHIVE = ArchiveFacts(
    origin=ClusterIdentity("dc1", "an-id", "1.22.7"),
    types=frozenset({0, 2, 17, 22}),
    config_kinds=frozenset({"mesh"}),
    agents={"server-1": "id-1", "web-1": "id-9"},
    holds_tokens=True,
    tokens=frozenset({"token"}),
    expired=frozenset(),
)
TARGET = TargetFacts(
    permitted=True,
    leader="10.0.0.1:8300",
    healthy=True,
    servers=("server-1",),
    unhealthy_servers=(),
    user_records={},
    datacenter="dc1",
    versions=("1.22.7",),
    enterprise=False,
    living={"server-1": "id-1"},
    acl=True,
    provided=("token",),
    surviving={},
    unknown={},
)
# A fresh and healthy target, an archive of its own that verifies, a token that may restore it and is in it.
GOOD = RestoreFacts(
    archive_fault=None, archive=ARCHIVE, target=TARGET, unchanged=False, backup_dir=None, version_check=EXACT
)


def facts(**changes: Any) -> RestoreFacts:
    """The good facts with some changed; a name says by itself whether it is one of the archive or of the target.

    ``version``, ``of_datacenter``, ``archive_*`` are the archive's, ``target_peerings`` are the target's.
    """
    of_archive = {field.name for field in fields(ArchiveFacts)}
    of_target = {field.name for field in fields(TargetFacts)}
    origin = ARCHIVE.origin
    if "version" in changes:
        origin = origin._replace(consul_version=changes.pop("version"))
    if "of_datacenter" in changes:
        origin = origin._replace(datacenter=changes.pop("of_datacenter"))
    named = {"peerings": "archive_peerings", "servers": "archive_servers"}
    of_both = {name: changes.pop(other) for name, other in named.items() if other in changes}
    told = {name: changes.pop(name) for name in list(changes) if name in of_archive - of_target} | of_both
    archive = changes.pop("archive", replace(ARCHIVE, **{"origin": origin, **told}))
    if "target_peerings" in changes:
        changes["peerings"] = changes.pop("target_peerings")
    target = replace(TARGET, **{name: changes.pop(name) for name in list(changes) if name in of_target})
    return replace(GOOD, archive=archive, target=target, **changes)
