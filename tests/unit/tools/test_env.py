# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tools around nox decide: settings of pip for others, ansible-test's home, the table of a whole run."""

from __future__ import annotations

import configparser
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from env import ansible_test, artifact, indexes, places, test_all

LISTED = """\
:env:.find-links='{there} /not/there file:///x'
:env:.index-url='https://me:word@index.example/simple'
global.cert='/ca.pem'
global.index-url='https://other.example/simple'
install.timeout='9'
"""


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A pip whose settings are these."""

    def run(command: list[str], **_options: Any) -> Any:
        assert command[1:] == ["-m", "pip", "config", "list"]
        return subprocess.CompletedProcess(command, 0, LISTED.format(there=tmp_path), "")

    monkeypatch.setattr(subprocess, "run", run)
    indexes.settings.cache_clear()
    yield
    indexes.settings.cache_clear()


def test_variables_win_over_files(pip: None) -> None:
    assert indexes.settings()["index-url"] == "https://me:word@index.example/simple"
    assert indexes.settings()["timeout"] == "9"


def test_uv_gets_what_pip_has_but_for_what_the_user_set(pip: None, tmp_path: Path) -> None:
    expected = {
        "SSL_CERT_FILE": "/ca.pem",
        "UV_DEFAULT_INDEX": "https://me:word@index.example/simple",
        "UV_FIND_LINKS": f"{tmp_path},file:///x",
    }
    assert indexes.for_uv({}) == expected
    assert "SSL_CERT_FILE" not in indexes.for_uv({"SSL_CERT_FILE": "/own.pem"})


def test_ansible_tests_home_has_pips_settings_for_the_user_alone(tmp_path: Path) -> None:
    internal = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "ansible_test" / "_internal"
    internal.mkdir(parents=True)
    (internal / "python_requirements.py").write_text("x = dict(pip='24.2', y='1')", encoding="utf-8")
    ansible_test.prepare(tmp_path / "home", tmp_path / "env", {"index-url": "https://a%20b@x.example"})
    config = tmp_path / "home" / ".config" / "pip" / "pip.conf"
    parsed = configparser.RawConfigParser()
    parsed.read(config)
    assert parsed["global"]["index-url"] == "https://a%20b@x.example"
    assert config.stat().st_mode & 0o777 == 0o600
    script = tmp_path / "home" / ".ansible" / "test" / "cache" / "get_pip_24_2.py"
    assert "ensurepip" in script.read_text(encoding="utf-8")


def test_an_ansible_test_of_another_make_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="which pip"):
        ansible_test.pip_version(tmp_path)


def test_a_copy_has_new_files_and_none_that_git_ignores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    subprocess.run(["git", "init", "-q", str(checkout)], check=True)
    for name in ("kept", "new", "gone", "ignored.pyc", "a b/ü"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text(name, encoding="utf-8")
    (checkout / ".gitignore").write_text("*.pyc\n", encoding="utf-8")
    subprocess.run(["git", "-C", str(checkout), "add", "kept", "gone"], check=True)
    (checkout / "gone").unlink()
    monkeypatch.setattr(places, "CHECKOUT", checkout)
    (places.collection_in(tmp_path / "root") / "old").mkdir(parents=True)
    target = artifact.copy(tmp_path / "root")
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == {".gitignore", "kept", "new", "a b/ü"}
    assert not (target / "old").exists()


NOX = """\
#!/usr/bin/env bash
echo "nox > Running session unit"
echo "== 12 passed, 1 skipped in 2.10s =="
echo "nox > Running session floor"
echo "==== 3 passed in 1.00s ===="
echo "nox > Running session unit"
echo "==== 1 failed, 4 passed in 1.00s ===="
echo '{"sessions": [{"name": "unit", "result": "success", "duration": 2.4},
  {"name": "floor", "result": "failed", "duration": 61.0},
  {"name": "newest", "result": "skipped", "duration": 0.0, "reason": "no Python 3.14"}]}' >"$2"
exit 1
"""


def test_the_table_tells_of_every_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "nox"
    fake.write_text(NOX, encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(test_all, "NOX", str(fake))
    output = test_all.Output()
    results = test_all.nox(["unit", "floor", "newest"], output=output)
    assert test_all.table(results, output.counts, 70).splitlines() == [
        "session  result         seconds",
        "unit     passed               2  12 passed, 1 skipped",
        "floor    FAILED              61  3 passed + 1 failed, 4 passed",
        "newest   left out             0  no Python 3.14",
        "all      1 of 3 failed       70",
    ]
    title, *last = test_all.ends(results, output).strip().splitlines()
    assert title.startswith("==== the end of floor ==")
    assert last == [
        "nox > Running session floor",
        "==== 3 passed in 1.00s ====",
        "nox > Running session unit",
        "==== 1 failed, 4 passed in 1.00s ====",
    ]


def test_sessions_of_which_nox_says_nothing_have_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_all, "NOX", "/bin/false")
    results = test_all.nox(["unit", "docs"], output=test_all.Output())
    assert [(one["name"], one["result"]) for one in results] == [("unit", "failed"), ("docs", "failed")]
    assert "2 of 2 failed" in test_all.table(results, {}, 1)
