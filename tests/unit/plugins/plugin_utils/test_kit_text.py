# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside, in shell lines and in Markdown: a real shell says what it reads."""

from __future__ import annotations

import re
import subprocess

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._kit_text import markdown_code, shell_word

HOSTILE = [
    "",
    "dc1",
    "two words",
    'it\'s "quoted"',
    "$(id) `id` ${HOME} \\n !x",
    "a\nb",
    "a\n```\nrm -rf /\n```shell",
    "\x1b]0;title\x07\x1b[2J",
    "right\u202eleft\u2066",
    "100%s %d 'x'\n.",
    "ümläut\u2028line",
    "-rf",
    "tab\there",
    "`",
    "```",
    " spaces ",
    "a|b",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_reads_it_as_one_word(text: str, shell: str) -> None:
    word = shell_word(text)
    assert word.isprintable()
    # The word stands where it would in a command line, with another before and one behind.
    done = subprocess.run([shell, "-c", f"printf '%s\\0' begin {word} end"], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == ["begin", text, "end"]


@pytest.mark.parametrize("text", ["a\0b", "ends\n"])
def test_what_no_shell_can_pass_on_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can't"):
        shell_word(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_it_in_one_span(text: str) -> None:
    span = markdown_code(text)
    assert span.isprintable()
    fence = re.match("`+", span)
    assert fence
    assert span.endswith(fence.group())
    inner = span[len(fence.group()) : -len(fence.group())]
    # No run of just so many backticks inside: that is what ends a span.
    assert len(fence.group()) not in [len(run) for run in re.findall("`+", inner)]
    assert not inner.startswith("`")
    assert not inner.endswith("`")
    if text.isprintable() and text:
        assert inner.strip() == text.strip()


def test_what_is_not_seen_is_shown() -> None:
    assert markdown_code("a\nb\x1b\u202e") == r"`a\nb\x1b\u202e`"
