# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page that says what to install says what requirements.txt and requirements/ say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import NOT_PACKAGED, OTHER_NAMES

ROOT = Path(__file__).resolve().parents[2]
WHERE = "docs/execution-environments.md"
FRAGMENTS = {"s3": "store", "gcs": "store", "azure": "store"}


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def required(name: str) -> list[str]:
    """Return the requirements of a file, such as ``boto3>=1.26``."""
    return [line for line in text_of(name).splitlines() if line and not line.startswith("#")]


def rows() -> dict[str, list[str]]:
    """Return the cells of the page's table by the file that a row names."""
    found: dict[str, list[str]] = {}
    for line in text_of(WHERE).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and re.fullmatch(r"`(requirements[\w/]*\.txt)`", cells[-1]):
            found[cells[-1].strip("`")] = cells
    return found


def test_the_page_has_a_row_for_each_file() -> None:
    files = ["requirements.txt", *(f"requirements/{path.name}" for path in (ROOT / "requirements").iterdir())]
    assert sorted(rows()) == sorted(files)


@pytest.mark.parametrize("name", sorted(rows()))
def test_a_row_names_the_libraries_and_their_oldest_versions(name: str) -> None:
    libraries = rows()[name][1]
    for line in required(name):
        library, _sign, version = line.partition(">=")
        assert f"`{library}`{f' {version}' if version else ''}" in libraries


@pytest.mark.parametrize("name", sorted(rows()))
def test_a_row_names_the_packages_that_messages_name(name: str) -> None:
    _for, _library, debian, fedora, _file = rows()[name]
    for line in required(name):
        library = line.partition(">=")[0]
        if library in OTHER_NAMES:
            apt, dnf = re.findall(r"([\w-]+) \((?:apt|dnf)\)", OTHER_NAMES[library])
        elif library in NOT_PACKAGED or library == "isal":
            assert debian in ("a virtual environment", "`age`")
            continue
        else:
            apt = dnf = f"python3-{library}"
        assert f"`{apt}`" in debian
        assert f"`{dnf}`" in fedora


@pytest.mark.parametrize(
    ("page", "files"),
    [
        ("README.md", ["requirements.txt"]),
        ("docs/total_loss.md", ["requirements.txt", "requirements/s3.txt", "requirements/sealing.txt"]),
        (WHERE, ["requirements.txt", "requirements/gcs.txt"]),
    ],
)
def test_commands_with_pip_install_what_the_files_list(page: str, files: list[str]) -> None:
    (command,) = re.findall(r"pip install (?:ansible-core )?('[^`\n]*')", text_of(page))
    assert command.replace("'", "").split() == [line for name in files for line in required(name)]


def test_the_definition_lists_what_its_features_need() -> None:
    blocks = re.findall(r"^```yaml\n(version: 3\n.*?)^```$", text_of(WHERE), re.MULTILINE | re.DOTALL)
    (definition,) = map(yaml.safe_load, blocks)
    assert definition["dependencies"]["python"] == [
        *required("requirements/s3.txt"),
        *required("requirements/sealing.txt"),
    ]


@pytest.mark.parametrize("feature", FRAGMENTS)
def test_the_documentation_of_options_names_the_same_versions(feature: str) -> None:
    fragment = text_of(f"plugins/doc_fragments/{FRAGMENTS[feature]}.py")
    for line in required(f"requirements/{feature}.txt"):
        assert line.replace(">=", " >= ") in fragment
