# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which regular expressions Go refuses. Go's own parser gave the verdicts; servers judge some in the corpus."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.regexps import is_refused

REFUSED = {
    "nothing to repeat": ["*", "+a", "a|?", "a(*)", "a(?:+)", "(?i)*", "{2}", "(?P<n>{1,})", r"\Q\E*", "a|b|{3}"],
    "a repetition of a repetition": ["a**", "a*+", "a+*", "a???", "a{2}{3}", "a*{2}", "a{2}*", "(?i)a??+", "a{,2}*+"],
    "repetitions too many": ["a{1001}", "a{2,1}", "a{0,1001}", "a{1000000000000,}", "a{99999999999999999999}"],
    "a group without an end": ["(", "(a", "(?:a|(b)", "((a)", "(?i:a", r"(\Qa)"],
    "a group without a beginning": [")", "a)", "(a))", "a)(b", r"\Q(\E)"],
    "a group that is none": ["(?", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?#a)", "(?(1)a)", "(?P=n)", "(?x)"],
    "flags that are none": ["(?-)", "(?i-)", "(?i-s-m)", "(?i", "(?ik:a)", "(?L)"],
    "a name that is none": ["(?P<>a)", "(?P<a b>a)", "(?P<n", "(?P<\u00e9>a)", "(?Pn)"],
    "a class without an end": ["[", "[a", "[]", "[^]", "[^]a", r"[a\]", "[[:alpha:]", "[a-"],
    "a class that is none": ["[[:abc:]]", "[[::]]", "[[:^^alpha:]]", r"\p{Greek", r"\p", r"\P1", r"[\p]"],
    "a range backwards": ["[z-a]", r"[\x41-\n]", r"[\x{10FFFF}-a]", "[b-aa]", r"[\101-\100]"],
    "a range to a class": [r"[a-\d]", r"[a-\pL]"],
    "an escape that is none": [r"\y", r"\C", r"\Z", r"\G", r"\1", r"\8", r"\xg0", r"\x{}", r"\x{110000}", r"\x4"],
    "an escape that no class takes": [r"[\b]", r"[\A]", r"[\z]", r"[\Q]", r"[\E]", r"[\B-z]"],
    "an escape of a letter beyond ASCII": ["\\\u00e9", "\\\u20ac"],
    "an escape of nothing": ["\\", "a\\"],
}
COMPILED = {
    "what is empty": ["", "|", "()", "(|)", "a||b", "(?i)", "(?:)", r"\Q\E"],
    "repetitions": ["a*", "a*?", "a??", "(a*)*", "()*", "^*", "$+", r"\b*", r"\A+", "(?:a+)?", "a{2,3}?", "a{1000}"],
    "braces that are text": ["{", "a{", "a{,2}", "a{ 2}", "a{2", "{02}", "{,2}*", "a{,2}*", "{{2}", "a{x}{3}"],
    "an end of a repetition": ["a*(?i)*", r"a*\Q\E*", "a(?i)*"],
    "groups": ["(?P<n>a)", "(?P<1>a)", "(?i:a)", "(?i-s:a)", "(?-i)a", "(?imsU-i)a", "(?i)a(?-i)b", "(?ii)a"],
    "classes": ["[]a]", "[^]a]", "[]-a]", "[a-]", "[a-a]", "[[]", "[[:alpha:]-]", "[[:^word:]]", "[[:a]", "[a[:]"],
    "ranges": [r"[\x00-\x{10FFFF}]", r"[\n-\r]", r"[\--a]", "[+--]", r"[\010-\t]", r"[\d-z]", r"[\w-]", "[a-c-e]"],
    "escapes": [r"\.", r"\_", r"\-", r"\0", r"\012", r"\0123", r"\12", r"\x4f", r"\x{4f}", r"\a\f\n\r\t\v", "\\\n"],
    "letters": [r"\d\D\s\S\w\W\b\B\A\z", r"\pL", r"\p{Greek}", r"[\pL\d]", r"\PN+"],
    "text as it is": [r"\Q(\E", r"\Q[*", r"\Qa\E*", r"\Q\\\E", r"(\Q)\E)"],
    "what is not judged": [r"\p{nothing}", "(" * 600 + ")" * 600, "(?:a{1000}){1000}", "(?P<n>a)(?P<n>b)"],
}


def listed(table: dict[str, list[str]]) -> list[object]:
    """Return a test's parameter for each expression, named by what it stands for."""
    return [pytest.param(one, id=f"{kind}: {one[:12]}") for kind, ones in table.items() for one in ones]


@pytest.mark.parametrize("expression", listed(REFUSED))
def test_expressions_that_go_refuses(expression: str) -> None:
    assert is_refused(expression)


@pytest.mark.parametrize("expression", listed(COMPILED))
def test_expressions_that_go_compiles_or_may(expression: str) -> None:
    assert not is_refused(expression)
