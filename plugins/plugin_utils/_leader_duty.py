# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the hosts of a cluster back it up, where only its leader's host does (pure).

Each server has a schedule of its own, and the leader alone works. No lock in Consul decides, because that would change
the state that is saved. Where two hosts work at once, each takes an archive, or one confirms the other's.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._storage.retention.policy import parse_duration
from ..module_utils._times import from_text, to_text
from ._complaints import ended


def duty_of(
    hosts: Iterable[str],
    answers: Mapping[str, Any],
    *,
    fallback_after: str = "",
    listed: Mapping[str, Any] | None = None,
    now: float,
) -> dict[str, Any]:
    """Return whether a cluster is backed up by this run, and through which hosts.

    :param hosts: those that answer, in the order in which they would be tried.
    :param answers: what cluster_info returned, by host.
    :param fallback_after: how old the newest archive may become before a host works that does not lead, as ``36h``;
        empty: none ever does.
    :param listed: what snapshot_list returned of the archives; None when it was not asked yet.
    :param now: seconds since the epoch.
    :return: ``{works, hosts, reason, asks, fault}``. ``hosts``: the leader's first. ``reason``: a part of a sentence.
        ``asks``: the archives have to be listed for the decision. ``fault``: why it can't be made; empty when it can.
    """
    names = [str(host) for host in hosts]
    try:
        limit = parse_duration(fallback_after).before(now, datetime.timezone.utc) if fallback_after else None
    except ValueError as error:
        return _duty(False, names, fault=f'backup_fallback_after is "{printable(fallback_after)}": {ended(str(error))}')
    leads = {name: _leads(answers.get(name)) for name in names}
    leading = [name for name in names if leads[name]]
    if leading:
        rest = [name for name in names if name not in leading]
        return _duty(True, leading + rest, f"{printable(leading[0])} is the leader")
    unknown = [name for name in names if leads[name] is None]
    if unknown:
        return _duty(
            True,
            names,
            f"{printable(unknown[0])} does not say whether it is the leader; give the token in backup_connection "
            'agent_prefix "" { policy = "read" }, so that only one server works',
        )
    others = f"{', '.join(map(printable, names))} {'is' if len(names) == 1 else 'are'} not the leader"
    if limit is None:
        return _duty(False, names, others)
    if listed is None:
        return _duty(False, names, others, asks=True)
    return _by_age(names, others, fallback_after, limit, listed)


def _by_age(
    names: list[str], others: str, fallback_after: str, limit: float, listed: Mapping[str, Any]
) -> dict[str, Any]:
    if listed.get("failure") or "archives" not in listed:
        said = ended(printable(str(listed.get("msg") or "no message"), 1000))
        return _duty(False, names, fault=f"{others}, and the age of the newest archive is not known: {said}")
    newest = listed.get("newest_confirmed_at")
    if not newest:
        return _duty(True, names, f"{others}, but no archive of this cluster is there yet")
    try:
        since = from_text(str(newest))
    except ValueError:
        return _duty(False, names, fault=f"{others}, and the age of the newest archive is not known.")
    told = f"the newest archive was taken or confirmed at {to_text(since)}"
    if since < limit:
        return _duty(True, names, f"{others}, but {told}, more than {printable(fallback_after)} ago")
    return _duty(False, names, f"{others}, and {told}, not more than {printable(fallback_after)} ago")


def _leads(answer: Any) -> bool | None:
    """Return what an agent says of itself; None where it says nothing."""
    agent = answer.get("agent") if isinstance(answer, Mapping) else None
    told = agent.get("leader") if isinstance(agent, Mapping) else None
    return told if isinstance(told, bool) else None


def _duty(works: bool, hosts: list[str], reason: str = "", *, asks: bool = False, fault: str = "") -> dict[str, Any]:
    return {"works": works, "hosts": hosts, "reason": reason, "asks": asks, "fault": fault}
