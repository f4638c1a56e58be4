# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user expects in a restored server: what to ask the server, and what its answers mean (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

KV_KEY, KV_PREFIX, SERVICE = "kv_key", "kv_prefix", "service"
POLICY, TOKEN_ACCESSOR, CONFIG_ENTRY = "policy", "token_accessor", "config_entry"
KINDS = (KV_KEY, KV_PREFIX, SERVICE, POLICY, TOKEN_ACCESSOR, CONFIG_ENTRY)

_ABSENT = ("not_found", "token_unknown")
"""Kinds of errors that mean that there is no such thing; for a token Consul answers "ACL not found"."""


class Assertion(NamedTuple):
    """``subject`` is what must exist, ``min_count`` the least number of keys below a prefix."""

    name: str
    kind: str
    subject: str
    min_count: int = 1


class Question(NamedTuple):
    """What to ask Consul's API."""

    path: str
    params: dict[str, str]


class Outcome(NamedTuple):
    """How an assertion ended, as results show it."""

    name: str
    passed: bool
    detail: str


def assertion_from(options: Mapping[str, Any]) -> Assertion:
    """Return the assertion that a user wrote, ``{kind: subject, name?, min_count?}``.

    :raises ValueError: it does not have exactly one kind, or the subject is not valid.
    """
    kinds = [kind for kind in KINDS if options.get(kind) is not None]
    if len(kinds) != 1:
        raise ValueError(f"an assertion requires exactly one of {', '.join(KINDS)}")
    kind = kinds[0]
    subject, least = str(options[kind]), options.get("min_count")
    if not subject and kind != KV_PREFIX:
        raise ValueError(f"{kind} is empty")
    if kind == CONFIG_ENTRY and not all(subject.partition("/")[::2]):
        raise ValueError(f"config_entry: {subject} is not of the form kind/name")
    if least is not None and (kind != KV_PREFIX or least < 1):
        raise ValueError("min_count requires kv_prefix, and must be 1 or more")
    return Assertion(options.get("name") or f"{kind} {subject}", kind, subject, least or 1)


def question_of(assertion: Assertion) -> Question:
    """Return what to ask. Values are not requested wherever the API can answer without them."""
    subject = quote(assertion.subject, safe="")
    if assertion.kind in (KV_KEY, KV_PREFIX):
        askable = _askable(assertion.subject)
        # For a key: the keys that begin with it, up to the next slash.
        short = assertion.kind == KV_KEY and askable == assertion.subject
        return Question(f"/v1/kv/{quote(askable, safe='')}", {"keys": "", **({"separator": "/"} if short else {})})
    if assertion.kind == CONFIG_ENTRY:
        kind, _slash, name = assertion.subject.partition("/")
        return Question(f"/v1/config/{quote(kind, safe='')}/{quote(name, safe='')}", {})
    paths = {SERVICE: "/v1/catalog/service/", POLICY: "/v1/acl/policies", TOKEN_ACCESSOR: "/v1/acl/token/"}
    path = paths[assertion.kind]
    return Question(path if assertion.kind == POLICY else path + subject, {})


def _askable(key: str) -> str:
    """Return the longest prefix of a key that a URL can ask for.

    Consul redirects where Go's ``path.Clean`` would change the path, and newer servers refuse spaces at either end (the
    former seen on 1.8.7 and 1.22.7, the latter on 1.22.7).
    """
    parts = key.split("/")
    last = len(parts) - 1
    bad = next((n for n, part in enumerate(parts) if part in (".", "..") or (not part and n < last)), None)
    askable = key if bad is None else "".join(f"{part}/" for part in parts[:bad])
    if askable != askable.lstrip():
        return ""
    return askable if askable == askable.rstrip() else askable[: askable.rfind("/") + 1]


def judged(assertion: Assertion, answer: Any) -> Outcome:
    """Return the outcome; ``answer`` is Consul's, None when it has no such thing."""
    passed, detail = _JUDGES[assertion.kind](assertion, answer)
    return Outcome(assertion.name, passed, detail)


def unanswered(assertion: Assertion, kind: str, message: str) -> Outcome:
    """Return the outcome when Consul answered with an error of this kind."""
    if kind in _ABSENT:
        return judged(assertion, None)
    return Outcome(assertion.name, False, f"could not be checked: {message}")


def unasked(assertion: Assertion) -> Outcome:
    """Return the outcome when the rehearsal ended before it came to the assertions."""
    return Outcome(assertion.name, False, "was not checked: the rehearsal ended before")


def _key(assertion: Assertion, answer: Any) -> tuple[bool, str]:
    there = assertion.subject in _elements(answer, str)
    return there, f"the key {assertion.subject} {_exists(there)}"


def _prefix(assertion: Assertion, answer: Any) -> tuple[bool, str]:
    count = sum(1 for key in _elements(answer, str) if key.startswith(assertion.subject))
    seen = f"{count} {_plural('key', count)} below {assertion.subject or 'the root'}"
    if count >= assertion.min_count:
        return True, seen
    return False, f"{seen}, at least {assertion.min_count} required"


def _service(assertion: Assertion, answer: Any) -> tuple[bool, str]:
    count = len(_elements(answer, dict))
    return bool(count), f"the service {assertion.subject} has {count or 'no'} {_plural('instance', count)}"


def _policy(assertion: Assertion, answer: Any) -> tuple[bool, str]:
    there = any(policy.get("Name") == assertion.subject for policy in _elements(answer, dict))
    return there, f"the policy {assertion.subject} {_exists(there)}"


def _token(assertion: Assertion, answer: Any) -> tuple[bool, str]:
    there = bool(answer)
    return there, f"the token with the accessor {assertion.subject} {_exists(there)}"


def _config_entry(assertion: Assertion, answer: Any) -> tuple[bool, str]:
    there = bool(answer)
    return there, f"the config entry {assertion.subject} {_exists(there)}"


def _elements(answer: Any, of: type) -> list[Any]:
    """Return the elements of an answer that are of a type; none when it is not a list."""
    return [element for element in answer if isinstance(element, of)] if isinstance(answer, list) else []


def _exists(there: bool) -> str:
    return "exists" if there else "does not exist"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


_JUDGES: dict[str, Callable[[Assertion, Any], tuple[bool, str]]] = {
    KV_KEY: _key,
    KV_PREFIX: _prefix,
    SERVICE: _service,
    POLICY: _policy,
    TOKEN_ACCESSOR: _token,
    CONFIG_ENTRY: _config_entry,
}
