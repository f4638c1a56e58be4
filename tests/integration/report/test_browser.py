# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a real browser: its figures, its size on a phone, its colours, and that it asks nobody for anything."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.example import DAY, NOW, earlier, entry, failed, fleet
from browser.example_catalogue import archives, catalogued, look, one_cluster
from browser.page import Browser
from env import places

TEMPLATES = str(places.CHECKOUT / "roles" / "rehearsal" / "templates")

# What a person would read off the page, collected by the browser from what it drew.
FIGURES = """(() => {
  const text = (root, path) => [...root.querySelectorAll(path)].map(
    one => one.textContent.replace(/\\s+/g, ' ').trim());
  const rows = [...document.querySelectorAll('#clusters tbody tr')];
  const bars = [...document.querySelectorAll('#rto-chart g[data-cluster]')];
  const ages = [...document.querySelectorAll('#age-chart g[data-cluster]')];
  return {
    title: document.title,
    verdict: text(document, 'h1')[0],
    tiles: Object.fromEntries(['rto', 'rpo'].map(id => [id, text(document, `#${id} .value`)[0]])),
    states: Object.fromEntries([...document.querySelectorAll('.states li')].map(
      one => [one.dataset.state, Number(one.querySelector('b').textContent)])),
    clusters: Object.fromEntries(rows.map(row => [row.dataset.cluster, {
      state: row.dataset.state, rto: text(row, '.rto')[0], age: text(row, '.age')[0], records: text(row, '.records')[0],
    }])),
    rto: Object.fromEntries(bars.map(one => [one.dataset.cluster, {
      figure: text(one, '.figure')[0],
      phases: Object.fromEntries([...one.querySelectorAll('[data-phase]')].map(
        bar => [bar.dataset.phase, bar.getBoundingClientRect().width])),
    }])),
    ages: Object.fromEntries(ages.map(one => [one.dataset.cluster, {
      figure: text(one, '.figure')[0], width: one.querySelectorAll('rect')[1].getBoundingClientRect().width,
    }])),
    todo: Object.fromEntries([...document.querySelectorAll('.todo > li')].map(
      one => [one.dataset.cluster, text(one, 'p')])),
    history: text(document, '#history tbody tr th'),
    background: getComputedStyle(document.body).backgroundColor,
    wide: document.scrollingElement.scrollWidth > innerWidth,
  };
})()"""


def written(directory: Path, filters: dict[str, Any], entries: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """Write a report's page and return the report."""
    report: dict[str, Any] = filters["rehearsal_report"](entries, at=NOW, **options)
    page = filters["rehearsal_html"](report, templates=TEMPLATES)
    (directory / "report.html").write_text(page, encoding="utf-8")
    return report


@pytest.fixture
def page(tmp_path: Path, filters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The page of a fleet with its history, and the report that it shows."""
    past = earlier(filters["rehearsal_report"](fleet(), at=NOW))
    report = written(tmp_path, filters, fleet(), earlier=past)
    return (tmp_path / "report.html").as_uri(), report


def test_its_figures(browser: Browser, page: tuple[str, dict[str, Any]]) -> None:
    url, report = page
    browser.open(url)
    shown = browser.ask(FIGURES)
    assert shown["verdict"] == report["verdict"] == "16 of 20 clusters would come back."
    assert shown["title"].startswith(report["verdict"])
    counts = {state: report["counts"][state] for state in ("failed", "unknown", "missed", "passed")}
    assert shown["states"] == counts == {"failed": 3, "unknown": 1, "missed": 3, "passed": 13}
    assert {name: one["state"] for name, one in shown["clusters"].items()} == {
        one["cluster"]: one["state"] for one in report["clusters"]
    }
    assert shown["clusters"]["warehouse"] == {"state": "missed", "rto": "4.7 s", "age": "4 d", "records": "12,601"}
    assert shown["clusters"]["lab"] == {"state": "failed", "rto": "unbounded", "age": "unbounded", "records": "–"}
    assert shown["clusters"]["branch-office"]["age"] == "unknown"
    assert shown["tiles"] == {"rto": "unbounded for 3", "rpo": "unbounded for 3"}
    assert shown["rto"]["warehouse"]["figure"] == "4.7 s"
    assert shown["ages"]["warehouse"]["figure"] == "4 d"
    assert set(shown["todo"]) == {one["cluster"] for one in report["clusters"] if one["state"] != "passed"}
    assert "Consul 1.22.7 died while it restored this archive." in shown["todo"]["legacy-dc2"]
    assert len(shown["history"]) == len(report["history"]) + 1
    assert browser.complaints() == []


def test_bars_are_as_long_as_what_they_stand_for(browser: Browser, page: tuple[str, dict[str, Any]]) -> None:
    url, report = page
    browser.open(url)
    shown = browser.ask(FIGURES)
    measured = {one["cluster"]: one for one in report["clusters"] if one["rto"] is not None}
    assert set(shown["rto"]) == set(shown["ages"]) == set(measured)
    scale = shown["rto"]["archive-of-2019"]["phases"]["restore"] / 6.63
    for name, cluster in measured.items():
        phases = cluster["rehearsals"][cluster["head"]]["rto"]
        for phase, width in shown["rto"][name]["phases"].items():
            assert width == pytest.approx(phases[phase] * scale, abs=0.6), (name, phase)
    # Beyond the chart's end a bar is cut, and says so; the others keep their scale.
    ages = {name: one["width"] for name, one in shown["ages"].items()}
    scale = ages["sandbox"] / measured["sandbox"]["age"]
    assert ages["warehouse"] < 4 * DAY * scale
    for name in set(ages) - {"warehouse"}:
        assert ages[name] == pytest.approx(measured[name]["age"] * scale, abs=0.6)


def test_light_dark_phone_and_paper(browser: Browser, page: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, _report = page
    seen = {}
    for name, how in {
        "light": {},
        "dark": {"dark": True},
        "phone": {"width": 360, "height": 740, "phone": True},
    }.items():
        browser.open(url, **how)  # type: ignore[arg-type]
        seen[name] = browser.ask(FIGURES)
        assert not seen[name]["wide"], f"{name}: it is wider than the screen"
    brightness = {name: sum(map(int, re.findall(r"\d+", one["background"])[:3])) for name, one in seen.items()}
    assert brightness["dark"] < 150 < 600 < brightness["light"] == brightness["phone"]
    assert seen["phone"]["clusters"] == seen["light"]["clusters"]
    # Nothing runs into anything else on the smallest screen: names and figures of a chart stay apart.
    browser.open(url, width=320, height=600, phone=True)
    overlapping = """[...document.querySelectorAll('.charts g[data-cluster]')].filter(one => {
      const [name, figure] = [...one.querySelectorAll(':scope > text')].map(text => text.getBoundingClientRect());
      return name.right > figure.left;
    }).map(one => one.dataset.cluster)"""
    assert browser.ask(overlapping) == []
    # On paper nothing can be opened, so nothing is closed.
    closed = "[...document.querySelectorAll('details:not([open])')].map(one => one.clientHeight)"
    folded = browser.ask(closed)
    browser.print_preview()
    assert all(paper > screen + 40 for screen, paper in zip(folded, browser.ask(closed), strict=True))
    browser.printed(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes()[:5] == b"%PDF-"


def test_words_for_those_who_do_not_see_it(browser: Browser, page: tuple[str, dict[str, Any]]) -> None:
    url, _report = page
    browser.open(url)
    unnamed = """[...document.querySelectorAll('svg')].filter(one =>
      !one.getAttribute('aria-label') && one.getAttribute('aria-hidden') !== 'true').length"""
    assert browser.ask(unnamed) == 0
    label = browser.ask("document.querySelector('#rto-chart g[data-cluster=billing]').getAttribute('aria-label')")
    assert label == "billing: 2.1 s, start 0.61 s, restore 0.34 s, ready 0.92 s, proof 0.28 s"
    assert browser.ask("document.querySelectorAll('h1').length") == 1
    assert browser.ask("document.documentElement.lang") == "en"
    # Text against what it stands on, after WCAG's formula, in both colour schemes.
    for dark in (False, True):
        browser.open(url, dark=dark)
        faint = {json.dumps(one) for one in browser.ask(CONTRAST) if one["ratio"] < 4.5}
        assert faint == set()


CONTRAST = """(() => {
  const channel = value => { value /= 255; return value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4; };
  const light = rgb => .2126 * channel(rgb[0]) + .7152 * channel(rgb[1]) + .0722 * channel(rgb[2]);
  const colour = text => text.match(/[\\d.]+/g).map(Number);
  const ground = one => {
    for (; one; one = one.parentElement) {
      const rgb = colour(getComputedStyle(one).backgroundColor);
      if (rgb.length === 3 || rgb[3] > 0) return rgb;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].filter(one => !one.closest('svg, .none') && one.offsetWidth
      && [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())).map(one => {
    const [a, b] = [light(colour(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => y - x);
    return { ratio: (a + .05) / (b + .05), is: one.tagName + '.' + one.className };
  });
})()"""


# What a person would read off the second page.
CATALOGUE = """(() => {
  const text = one => one ? one.textContent.replace(/\\s+/g, ' ').trim() : null;
  const rows = [...document.querySelectorAll('#stores tbody tr')];
  return {
    shown: ['report', 'catalogue'].filter(id => document.getElementById(id).offsetHeight > 0),
    title: text(document.querySelector('#slo h2')),
    missed: Object.fromEntries([...document.querySelectorAll('#slo-missed .todo > li')].map(
      one => [one.dataset.cluster, [...one.querySelectorAll('.checks li')].map(text)])),
    rows: rows.map(row => ({
      cluster: row.dataset.cluster, store: row.dataset.store || null, problem: row.dataset.problem || null,
      verified: text(row.querySelector('.verified')), prune: text(row.querySelector('.prune')),
      bars: [...row.querySelectorAll('.spark rect')].map(bar => bar.getBoundingClientRect().height),
    })),
    goes: [...document.querySelectorAll('.fates .goes')].length,
    wide: document.scrollingElement.scrollWidth > innerWidth,
  };
})()"""


@pytest.fixture
def catalogue(tmp_path: Path, filters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The page of a fleet with its catalogue, and the report that it shows."""
    report = written(tmp_path, filters, catalogued())
    return (tmp_path / "report.html").as_uri(), report


def test_the_catalogue_is_a_second_page(browser: Browser, catalogue: tuple[str, dict[str, Any]]) -> None:
    url, report = catalogue
    browser.open(url)
    assert browser.ask(CATALOGUE)["shown"] == ["report"]
    browser.page.click("nav a[href='#catalogue']")
    shown = browser.ask(CATALOGUE)
    assert shown["shown"] == ["catalogue"]
    assert shown["title"] == "14 of 17 clusters meet their service level."
    assert set(shown["missed"]) == {"branch-office", "lab", "warehouse"}
    assert any("verified archives: 19, at least 20" in one for one in shown["missed"]["warehouse"])
    told = {one["cluster"]: one["stores"] for one in report["clusters"]}
    for cluster, stores in told.items():
        rows = [row for row in shown["rows"] if row["cluster"] == cluster]
        assert [row["store"] for row in rows] == ([store["store"] for store in stores] or [None])
        for row, store in zip(rows, stores, strict=False):
            assert row["problem"] == store["problem"]
            if store["problem"] is not None:
                continue
            assert row["verified"] == str(store["verified"])
            assert row["prune"].startswith(f"removes {store['next_prune']['removes'] or 'nothing'}")
            sizes = [one["size"] for one in store["sizes"]]
            assert len(row["bars"]) == len(sizes)
            for height, size in zip(row["bars"], sizes, strict=True):
                assert height == pytest.approx(26 * size / max(sizes), abs=0.6)
    assert shown["goes"] == sum(
        store["next_prune"]["removes"] for stores in told.values() for store in stores if store["next_prune"]
    )
    # A link within the page stays on it, and the way back leads back.
    browser.page.click("#slo-missed a")
    assert browser.ask(CATALOGUE)["shown"] == ["catalogue"]
    browser.page.click("nav a[href='#report']")
    assert browser.ask(CATALOGUE)["shown"] == ["report"]
    assert browser.complaints() == []


def test_the_catalogue_on_a_phone_in_the_dark_and_on_paper(
    browser: Browser, catalogue: tuple[str, dict[str, Any]]
) -> None:
    url = f"{catalogue[0]}#catalogue"
    for how in ({}, {"dark": True}, {"width": 360, "height": 740, "phone": True}):
        browser.open(url, **how)  # type: ignore[arg-type]
        shown = browser.ask(CATALOGUE)
        assert shown["shown"] == ["catalogue"]
        assert not shown["wide"], how
        assert {json.dumps(one) for one in browser.ask(CONTRAST) if one["ratio"] < 4.5} == set()
    browser.print_preview()
    assert browser.ask(CATALOGUE)["shown"] == ["report", "catalogue"]


class Trap(http.server.BaseHTTPRequestHandler):
    """Notes who calls; nobody should."""

    calls: list[str]

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what it was asked for."""
    calls: list[str] = []
    handler = type("Noting", (Trap,), {"calls": calls})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", calls
        server.shutdown()
        thread.join()


def test_it_asks_nobody_for_anything(
    browser: Browser, filters: dict[str, Any], tmp_path: Path, trap: tuple[str, list[str]]
) -> None:
    address, calls = trap
    name = (
        f'"><img src="{address}/name"><script src="{address}/script"></script><style>@import "{address}/style"</style>'
    )
    died = failed("died", f"it died of <img src={address}/message>", f"<a href={address}>", name)
    told = archives("fine", "/a", 3)
    for one in told:
        one["path"] = f"/a/{name}\u202e.snap"
    seen = look(f"/{name}", told, 1, on=name, other_clusters=[f"{name}\u202e"])
    gone = {"store": f"s3://{name}", "listed": {"failed": True, "msg": f"<img src={address}/store>"}}
    written(tmp_path, filters, [entry(name, died), one_cluster("fine", seen, gone, slo={"copies": 9})])
    url = (tmp_path / "report.html").as_uri()
    browser.open(url)
    assert name in browser.ask(FIGURES)["clusters"]
    assert browser.requested() == [url]
    assert browser.complaints() == []
    assert calls == []
    # So on the second page, where what stores and manifests say is shown.
    browser.open(f"{url}#catalogue")
    shown = browser.ask(CATALOGUE)
    assert {"/" + name, f"s3://{name}"} <= {row["store"] for row in shown["rows"]}
    assert [row["problem"] for row in shown["rows"] if row["problem"]] == [f"<img src={address}/store>"]
    assert browser.ask("document.querySelectorAll('img, script, style').length") == 1
    assert browser.ask("document.body.innerText.includes('\\u202e')") is False
    assert browser.complaints() == []
    assert calls == []

    # The trap works, and the page's own policy holds even where something would slip through.
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    image = f'<img src="{address}/slipped">'
    (tmp_path / "report.html").write_text(text.replace("</main>", f"{image}</main>"), encoding="utf-8")
    browser.open(url)
    assert calls == []
    assert any("Content Security Policy" in one for one in browser.complaints())
    (tmp_path / "other.html").write_text(image, encoding="utf-8")
    browser.open((tmp_path / "other.html").as_uri())
    assert calls == ["/slipped"]
    assert f"{address}/slipped" in browser.requested()
