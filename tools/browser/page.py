# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium, driven by Playwright: what a page shows, and what it asks the network for."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from playwright.sync_api import Page, sync_playwright

# Root has no sandbox, and containers have a small /dev/shm.
OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage"]


class Browser:
    """A browser that shows one page at a time. Leaving the ``with`` block ends it, and its profile goes with it."""

    def __init__(self, binary: Path | str) -> None:
        self._binary = binary
        self._page: Page | None = None
        self._requested: list[str] = []
        self._complaints: list[str] = []

    def __enter__(self) -> Browser:
        self._playwright = sync_playwright().start()
        try:
            self._browser = self._playwright.chromium.launch(executable_path=self._binary, args=OPTIONS)
        except BaseException:
            self._playwright.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()

    @property
    def page(self) -> Page:
        """The page that was opened last."""
        assert self._page is not None, "no page was opened"  # noqa: S101
        return self._page

    def open(self, url: str, *, width: int = 1280, height: int = 900, phone: bool = False, dark: bool = False) -> None:
        """Open a page at this size and in this colour scheme, and wait until it is loaded."""
        if self._page:
            self._page.context.close()
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2 if phone else 1,
            is_mobile=phone,
            color_scheme="dark" if dark else "light",
        )
        self._page = context.new_page()
        self._requested, self._complaints = requested, complaints = [], []
        self._page.on("request", lambda request: requested.append(request.url))
        self._page.on("console", lambda message: complaints.append(message.text))
        self._page.on("pageerror", lambda problem: complaints.append(str(problem)))
        self._page.goto(url)

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, asked from outside of the page."""
        return self.page.evaluate(expression)

    def requested(self) -> list[str]:
        """Return the addresses that the page asked for since it was opened, its own among them."""
        self.ask("1")
        return self._requested

    def complaints(self) -> list[str]:
        """Return what the browser's console says of the page."""
        self.ask("1")
        return self._complaints

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        self.page.screenshot(path=path, full_page=True)

    def print_preview(self) -> None:
        """Show the page as it would be printed."""
        self.page.emulate_media(media="print")

    def printed(self, path: Path) -> None:
        """Write the page as a printer would get it, as a PDF."""
        self.page.pdf(path=path, print_background=True, prefer_css_page_size=True)
