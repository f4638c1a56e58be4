# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of an example report: ``make report-picture``, or ``python -m browser DIRECTORY [REPORT.html]``."""

from __future__ import annotations

import sys
from pathlib import Path

from binaries.main import find
from env import places

from . import example, example_catalogue
from .page import Browser

SHOTS: dict[str, dict[str, int | bool]] = {
    "light": {"width": 1280},
    "dark": {"width": 1280, "dark": True},
    "phone": {"width": 390, "height": 844, "phone": True},
    "phone-dark": {"width": 390, "height": 844, "phone": True, "dark": True},
}


def example_page() -> str:
    """Return the page of a made-up fleet with its history."""
    sys.path.insert(0, str(places.linked_tree()))
    from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_html import rehearsal_html
    from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_report import rehearsal_report

    first = rehearsal_report(example_catalogue.catalogued(), at=example.NOW)
    report = rehearsal_report(example_catalogue.catalogued(), at=example.NOW, earlier=example.earlier(first))
    return rehearsal_html(report, templates=str(places.CHECKOUT / "roles" / "rehearsal" / "templates"))


def main(arguments: list[str]) -> int:
    """Make the pictures and print their paths."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m browser DIRECTORY [REPORT.html]", file=sys.stderr)
        return 2
    if len(arguments) == 2 and not arguments[1].endswith(".html"):
        print(f"{arguments[1]} is not a page; the one beside it, report.html, is", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    page = Path(arguments[1]) if len(arguments) == 2 else directory / "report.html"
    if len(arguments) == 1:
        page.write_text(example_page(), encoding="utf-8")
    with Browser(find("chromium")) as browser:
        for name, how in SHOTS.items():
            for part, fragment in (("report", ""), ("catalogue", "#catalogue")):
                browser.open(page.absolute().as_uri() + fragment, **how)  # type: ignore[arg-type]
                browser.picture(directory / f"{part}-{name}.png")
                print(directory / f"{part}-{name}.png")
        browser.open(page.absolute().as_uri())
        browser.printed(directory / "report.pdf")
        print(directory / "report.pdf")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
