# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration shows, on a terminal and elsewhere; and the inventory that it writes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from demo.inventory import inventory
from demo.screen import BAD, Screen


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, directory: Path, environment: dict[str, str]) -> str:
    screen = Screen(stream, directory / "log", environment=environment)
    screen.shorten(Path("/tmp/demo-x"), "")
    screen.step("run -i /tmp/demo-x/servers.yml")
    screen.passing("3 s  Save")
    screen.text("kept /tmp/demo-x/a.snap", BAD)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("stream", "environment", "passing", "colour"),
    [
        (io.StringIO, {}, False, False),
        (Terminal, {}, True, True),
        (Terminal, {"NO_COLOR": "1"}, True, False),
        (Terminal, {"TERM": "dumb"}, False, False),
    ],
    ids=["elsewhere", "terminal", "no colour", "dumb"],
)
def test_colour_and_passing_lines_are_for_terminals(
    stream: type[io.StringIO], environment: dict[str, str], passing: bool, colour: bool, tmp_path: Path
) -> None:
    text = shown(stream(), tmp_path, environment)
    assert ("3 s  Save" in text) == passing
    assert ("\033[31m" in text) == colour
    assert "kept a.snap" in text
    assert (tmp_path / "log").read_text(encoding="utf-8") == "\n 1  run -i servers.yml\n    kept a.snap\n"


def test_paths_are_never_broken(tmp_path: Path) -> None:
    stream = io.StringIO()
    Screen(stream, tmp_path / "log", environment={}).text("word " * 20 + "/a-long/path-with-hyphens" * 10)
    assert "/a-long/path-with-hyphens" * 10 in stream.getvalue()


def test_the_inventory_names_files_and_holds_no_secret() -> None:
    names = {"token_file": "token", "ca_path": "ca.pem", "client_cert": "cert.pem", "client_key": "key.pem"}
    text = inventory(
        {"a-1": 8501, "a-2": 8502},
        {option: Path("/x", name) for option, name in names.items()},
        cluster="demo",
        backups=Path("/x/b c"),
        python="/bin/python3",
        variables={"rehearsal_assertions": [{"kv_key": "a: b"}]},
    )
    group = yaml.safe_load(text)["consul"]
    assert group["vars"]["rehearsal_assertions"] == [{"kv_key": "a: b"}]
    assert group["hosts"] == {"a-1": {"consul_port": 8501}, "a-2": {"consul_port": 8502}}
    assert group["vars"]["backup_dir"] == "/x/b c"
    assert group["vars"]["backup_connection"] == {
        "scheme": "https",
        "host": "127.0.0.1",
        "port": "{{ consul_port }}",
        "ca_path": "/x/ca.pem",
        "client_cert": "/x/cert.pem",
        "client_key": "/x/key.pem",
        "token_file": "/x/token",
    }
