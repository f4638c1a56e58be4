# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences that users read are plain technical English: phrases that read like a translation are kept out.

Looked at are pages, fragments of the changelog, and what plugins, roles, playbooks and the demo show; not comments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = {
    "pages": ("*.md", "docs/**/*.md", "docs/**/*.yml"),
    "plugins": ("plugins/**/*.py",),
    "roles": tuple(f"roles/**/*.{suffix}" for suffix in ("md", "yml", "j2", "json")),
    "playbooks": ("playbooks/**/*.yml", "molecule/**/*.yml"),
    "demo": ("tools/demo/**/*.py", "tools/demo/**/*.yml"),
    "changelog": ("changelogs/fragments/*.yml",),
}
COMMENT = re.compile(r"<!--.*?-->|\{#.*?#\}", re.DOTALL)


class Phrase(NamedTuple):
    """A regular expression over text with single spaces, an example of what it finds, and the words to use."""

    pattern: str
    example: str
    instead: str


PHRASES = [
    Phrase(r"\bholds? (it|them|the \w+) for\b", "autopilot holds the cluster for unhealthy", "reports … as"),
    Phrase(r"\bnothing (answered|came)\b", "nothing answered there", "connection timed out"),
    Phrase(
        r"(?<!there )(?<!there still )\b(is|are|was|were) no (?!longer|more|later|older|newer|other)\w",
        "port 99999 is no port",
        "is not a …",
    ),
    Phrase(r"(?<!there )\b(is|are) none[.,;]", "a Consul server is none;", "is not one; does not exist"),
    Phrase(r"\bin (its|their) way\b", "the content in its way", "equivalent content"),
    Phrase(r"\bin (its|their|our) place\b", "a proxy answers in its place", "instead"),
    Phrase(r"\bwithout a word\b", "Consul would take it without a word", "silently"),
    Phrase(r"\bby custom\b", "by custom it is the newest", "by default"),
    Phrase(r"\bthe (Consul|version|server) to come\b", "rehearse it in the Consul to come", "the target version"),
    Phrase(r"\bproven when it was\b", "a backup is proven when it was restored", "proven only once it has been"),
    Phrase(r"\bwhat waits for\b", "restart what waits for changes", "clients that …"),
    Phrase(r"\bbears? (a|an|the|its|their)\b", "an agent bears a name", "has"),
    Phrase(r"\bhear(s|d|ing)? of\b", "the original never hears of it", "learns about; notices"),
    Phrase(r"\bmay be had\b", "a token may be had from the leader", "is available"),
    Phrase(r"\b(is|are|was|were) to be\b", "the version that is to be restored", "must be; will be; should be"),
    Phrase(r"\bwas to (change|touch|do|have)\b", "the second backup was to change nothing", "must (not) change …"),
    Phrase(r"\bbe looked at\b", "the archives could not be looked at", "be read; be checked"),
    Phrase(r"\bstands? for\b", "which cluster a host stands for", "means; represents; belongs to"),
    Phrase(r"\bstands? (in|there|beside|amid|twice)\b", "records stand in the archive twice", "is in; occurs in"),
    Phrase(r"\b(dials?|joins?|asks?) nobody\b", "a rehearsal dials nobody", "connects to no other host"),
    Phrase(r"\bkeeps? to (itself|themselves)\b", "a server that keeps to itself", "is isolated"),
    Phrase(r"\bleft (to|for) (a person|people)\b|\bto people\b", "what is left to a person", "manual steps"),
    Phrase(r"\b(all|server|cluster) is well\b|\bnot well\b", "that all is well", "is healthy; succeeded"),
    Phrase(r"\bends? well\b", "the run would end well", "succeed"),
    Phrase(r"\bfor people\b", "a page for people", "to read; an HTML page"),
    Phrase(r"\bnobody has to\b", "nobody has to be writing", "this happens without …"),
    Phrase(r"\b(not|longer) believed\b", "dates that are not believed", "ignored"),
    Phrase(r"\b(is|was) ended\b", "the process was ended from outside", "was stopped; was killed"),
    Phrase(r"\btaken back\b", "a cluster upgraded and taken back", "rolled back"),
    Phrase(r"\bConsul's makers\b", "report it to Consul's makers", "HashiCorp"),
    Phrase(r"\bas it stands\b", "the cluster as it stands", "as it is; the current …"),
    Phrase(r"\bone of its own\b|\ban own\b", "a name, one of its own", "a separate one; its own"),
    Phrase(r"\banew\b", "the leader makes it anew", "again"),
    Phrase(r"\bmend(s|ed|ing)?\b", "a fault that a further try may mend", "fix; recover"),
    Phrase(r"\bt(ell|ells|old|elling) (them |these |those )?apart\b", "told apart by name", "distinguished by"),
    Phrase(r"\bwants (a|an|one|the|two|what)\b", "the filter wants a list", "requires; expects"),
    Phrase(r"\btells (that|whether|how|of|what|its)\b", "the manifest tells of it", "reports; returns; says"),
    Phrase(r"\btakes? (it|them) for\b|\btaken for (a|an|one)\b", "taken for a misspelled one", "treated as"),
    Phrase(r"\bgrave(r|st)?\b", "the gravest first", "serious; the most severe first"),
    Phrase(r"\bl(ie|ies|ay) (in|at|below|beside|on|where|there|ahead|under)\b", "it lies beside it", "is in; is at"),
    Phrase(r"\bfor good\b", "it is gone for good", "permanently"),
    Phrase(r"\bwhat (came|comes|becomes) of\b", "keep what came of it", "the result of"),
    Phrase(r"\bg(ives?|ave) way\b", "give way to another host", "hand over"),
    Phrase(r"\bdo(es)? no harm\b", "the finding does no harm there", "has no effect; is harmless"),
    Phrase(r"\bha(s|ve) no place for\b", "what a version has no place for", "does not know"),
    Phrase(r"\bslip of the pen\b", "taken for a slip of the pen", "typing error"),
    Phrase(r"\bnobody (tried|knows|looked|can tell)\b", "when nobody tried it", "untested; unknown; not checked"),
    Phrase(r"\b(is|are|be) of (no )?use\b", "it is of use only there", "is useful; helps"),
    Phrase(r"\bcode other than zero\b", "ends with a code other than zero", "a non-zero exit code"),
    Phrase(r"\bat hand\b", "where no Consul is at hand", "available"),
    Phrase(r"\bbe (it|they) (of|in|a|the)\b", "servers, be they of that version", "whether …"),
    Phrase(r"\bin the midst of\b", "in the midst of a save", "during"),
    Phrase(r"\bwhoever\b", "whoever uses one needs another", "anyone who; clients that"),
]


def read_by_users(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file that users read, each with the number of its first line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from literals(text)
    elif path.suffix == ".yml":
        yield 1, "\n".join("" if line.lstrip().startswith("#") else line for line in text.split("\n"))
    else:
        yield 1, COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text)


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings of Python code that are not docstrings."""
    tree = ast.parse(source)
    loose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in loose:
            yield node.lineno, node.value


def complaints(text: str, first_line: int = 1) -> Iterator[tuple[int, str]]:
    """Yield the line of each phrase in a text, and what to do about it."""
    words = list(re.finditer(r"\S+", text))
    joined = " ".join(word.group() for word in words)
    for phrase in PHRASES:
        for found in re.finditer(phrase.pattern, joined, re.IGNORECASE):
            word = words[joined.count(" ", 0, found.start())]
            line = first_line + text.count("\n", 0, word.start())
            around = joined[max(0, found.start() - 40) : found.end() + 40]
            yield line, f"'{found.group()}' in '…{around}…': write '{phrase.instead}'"


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.example)
def test_a_phrase_is_found_and_its_replacement_is_not(phrase: Phrase) -> None:
    assert any(f"write '{phrase.instead}'" in said for _line, said in complaints(f"See:\n  {phrase.example}"))
    assert re.search(phrase.pattern, phrase.instead, re.IGNORECASE) is None


def test_a_phrase_is_found_across_lines_with_the_line_that_it_begins_in() -> None:
    assert [line for line, _said in complaints("one\ntwo, and the port is\n    no port", 5)] == [6]
    assert list(complaints("there is\n    no port, and that port is no longer open")) == []


def test_comments_and_docstrings_are_left_alone(tmp_path: Path) -> None:
    files = {
        "a.py": '"""It is done anew."""\nx = f"done {1} anew"  # anew\n',
        "a.yml": "# anew\nname: done anew\n",
        "a.md": "<!-- anew\n-->\ndone anew\n",
    }
    found = {}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        texts = read_by_users(tmp_path / name)
        found[name] = [line for first, shown in texts for line, _said in complaints(shown, first)]
    assert found == {"a.py": [2], "a.yml": [2], "a.md": [3]}


@pytest.mark.parametrize("place", PLACES)
def test_no_sentence_reads_like_a_translation(place: str) -> None:
    paths = sorted(path for pattern in PLACES[place] for path in ROOT.glob(pattern))
    assert paths
    found = [
        f"{path.relative_to(ROOT)}:{line}: {said}"
        for path in paths
        for first, text in read_by_users(path)
        for line, said in complaints(text, first)
    ]
    assert not found, "\n" + "\n".join(found)
