# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes from outside is shown on one line, without a character that a terminal would obey."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ApiError,
    ClusterError,
    FailureKind,
    MissingLibraryError,
    how_to_install,
    listed,
    pip_refuses,
    printable,
)


@pytest.mark.parametrize("text", ["", "plain", "web-1", "späte Grüße", "日本", "C:\\x", "a b", 'it\'s "x"'])
def test_what_can_be_shown_is_left_alone(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\tb", "a\\r\\tb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202egnp", "\\u202egnp"),
        ("a\u2066b\u200bc\ufeff", "a\\u2066b\\u200bc\\ufeff"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\U000e0041", "\\U000e0041"),
        ("\udcff", "\\udcff"),
        ("a\xa0b", "a\\xa0b"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_its_length_is_bounded() -> None:
    assert printable("x" * 300) == "x" * 300
    assert printable("x" * 301) == "x" * 299 + "…"
    assert printable("\x1b" * 300, limit=9) == "\\x1b\\x1b…"
    assert len(printable("\n" * 10**6)) == 300
    assert printable("x" * 1000, limit=None) == "x" * 1000


def test_anything_has_a_text() -> None:
    assert printable(7) == "7"
    assert printable(None) == "None"


@pytest.mark.parametrize(
    ("names", "limit", "sentence"),
    [
        ([], 5, ""),
        (["a"], 5, "a"),
        (["a", "b"], 5, "a and b"),
        (["a", "b", "c"], 5, "a, b and c"),
        (["a", "b", "c"], 3, "a, b and c"),
        (["a", "b", "c", "d"], 3, "a, b, c and 1 more"),
        (["a", "b"], 1, "a and 1 more"),
        (range(3), 5, "0, 1 and 2"),
        (["a\x1b", "b"], 5, "a\\x1b and b"),
    ],
)
def test_names_in_a_sentence(names: list[str], limit: int, sentence: str) -> None:
    assert listed(names, limit) == sentence


def test_a_sentence_shows_five_names() -> None:
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"


def test_a_failure_holds_plain_texts() -> None:
    # Ansible serializes results itself and need not know subclasses of str.
    failure = ClusterError("not ready", cause=FailureKind.TOKEN_UNKNOWN).as_failure()
    assert failure == {"kind": "cluster", "hint": "", "cause": "token_unknown"}
    assert {value.__class__ for value in failure.values()} == {str}


def test_an_answer_of_no_known_kind_is_a_defect() -> None:
    with pytest.raises(ValueError, match="no_such_kind"):
        raise ApiError("x", status=500, body="", url="", kind="no_such_kind")


@pytest.mark.parametrize(
    ("library", "says"),
    [
        ("requests", "Install the package python3-requests there"),
        ("boto3", "Install the package python3-boto3 there"),
        ("azure-identity", "python3-azure (apt)"),
        ("google-cloud-storage", "/opt/consul-backup/bin/pip install google-cloud-storage"),
        ("pyrage", "python3 -m venv --system-site-packages /opt/consul-backup"),
    ],
)
def test_a_python_that_the_distribution_manages_gets_advice_that_works_there(library: str, says: str) -> None:
    told = how_to_install(library, managed=True)
    assert says in told
    assert "ansible_python_interpreter" in told
    # pip of that Python would refuse.
    assert "pip install" not in told.replace("/opt/consul-backup/bin/pip install", "")
    assert len(told) < 300


def test_another_python_gets_the_package_and_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", {"stdlib": str(tmp_path)}.__getitem__)
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    assert not pip_refuses()
    assert "(python3-requests, or pip install requests)" in MissingLibraryError("requests", "x").hint
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    assert pip_refuses()
    assert MissingLibraryError("requests", "x").hint == how_to_install("requests", managed=True)
    # In a virtual environment of that Python pip installs.
    monkeypatch.setattr(sys, "base_prefix", "/elsewhere")
    assert not pip_refuses()
