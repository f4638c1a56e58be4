# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a host from telling of its cluster (pure): causes in words, and what to type, in a role's own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..module_utils._errors import printable

UNREACHABLE = "unreachable"
CRASHED = "crashed"

# By the kind of a module's ``failure``. ``{role}`` is the role whose variables are named, ``{hint}`` the module's own.
_ADVICE = {
    UNREACHABLE: "Ansible can't log in there; 'ansible -m ansible.builtin.ping' with the same inventory shows why.",
    CRASHED: "Run with -vvv to see what the host answered.",
    "missing_library": (
        "Install it for the Python that the modules run on there, or set ansible_python_interpreter to one that has it."
    ),
    "connection": "{hint} Connection options belong in {role}_connection, or in variables such as CONSUL_HTTP_ADDR.",
    "wrong_scheme": "Set scheme: https in {role}_connection.",
    "option": "{hint} Connection options belong in {role}_connection.",
    "permission_denied": 'Set token or token_file in {role}_connection to one whose policy has acl = "write".',
    "token_unknown": "Set token or token_file in {role}_connection to a token that exists there now.{afterwards}",
    "unknown_datacenter": "Set {role}_datacenter to a name that 'consul catalog datacenters' lists.",
}
_AFTERWARDS = {
    "restore": " After a restore the archive's tokens count: restore_post_restore_token is for one of them.",
}


class Complaint(NamedTuple):
    """Why a host tells nothing: ``text`` says what happened there, ``advice`` what to do. ``kind`` groups them."""

    host: str
    kind: str
    text: str
    advice: str


def complaint_of(host: str, info: Mapping[str, Any], role: str) -> Complaint:
    """Return why a host told nothing of its cluster.

    :param info: the result of cluster_info there, which failed; or what Ansible made of a host that it can't reach.
    """
    failure = info.get("failure")
    failure = failure if isinstance(failure, Mapping) else {}
    message, hint = str(info.get("msg") or "no message"), str(failure.get("hint") or "")
    if info.get("unreachable"):
        kind, message = UNREACHABLE, f"the host can't be reached ({message})"
    else:
        kind = str(failure.get("kind") or CRASHED)
    if kind == "missing_library":
        message = f"the Python library {failure.get('library') or 'requests'} is missing"
    for tail in (f". {hint}", f" ({failure.get('url')})"):
        message = message.removesuffix(tail) if len(tail) > 3 else message
    if kind == "missing_library" and hint:
        # It knows the name of the package, and whether pip would do it there.
        advice = hint
    else:
        advice = _ADVICE.get(kind, "{hint}").format(role=role, hint=hint, afterwards=_AFTERWARDS.get(role, ""))
    return Complaint(host, kind, printable(message), printable(advice.strip(), None))


def in_words(complaints: Iterable[Complaint]) -> str:
    """Return complaints as sentences, each cause once: ``a, b: the connection was refused. Is …?``"""
    hosts: dict[tuple[str, str], list[Complaint]] = {}
    for one in complaints:
        hosts.setdefault((one.kind, one.advice), []).append(one)
    causes = []
    for alike in hosts.values():
        texts = list(dict.fromkeys(one.text for one in alike))
        said = texts[0] if len(texts) == 1 else f"{texts[0]} (and {len(texts) - 1} more like it)"
        causes.append(f"{listed([one.host for one in alike])}: {ended(said)} {alike[0].advice}".strip())
    return " ".join(causes)


def ended(text: str) -> str:
    """Return a text with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def listed(names: Sequence[str], limit: int = 10) -> str:
    """Return names in a row, as they may be shown; of many only the first ones and how many more."""
    shown = [printable(name) for name in names[:limit]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
