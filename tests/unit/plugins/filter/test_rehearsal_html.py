# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report: everything in it is escaped, and it needs nothing but itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_html import rehearsal_html
from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_report import rehearsal_report
from browser.example import NOW, earlier, entry, failed, fleet, result
from browser.example_catalogue import archives, catalogued, look, one_cluster
from env import places

TEMPLATES = str(places.CHECKOUT / "roles" / "rehearsal" / "templates")
EVIL = """<script>alert('1')</script>"><img src=x onerror="alert(2)"> {{ 7 * 7 }} {% raw %} &amp; </title></style>"""
VOID = {"meta", "br", "img", "link", "input"}


class Tags(HTMLParser):
    """All tags with their attributes; every one must be closed by its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page_of(*entries: dict[str, Any], **options: Any) -> str:
    return rehearsal_html(rehearsal_report(list(entries), at=NOW, **options), templates=TEMPLATES)


def said(value: Any, text: str) -> Any:
    """Return a result in which every text that may come from outside is this one."""
    if isinstance(value, dict):
        return {
            key if key in KNOWN else text: told if key in FIXED else said(told, text) for key, told in value.items()
        }
    if isinstance(value, list):
        return [said(told, text) for told in value]
    return text if isinstance(value, str) else value


def host_of(told: dict[str, Any], text: str) -> dict[str, Any]:
    return {**entry(text, said(told, text), problem=text), "host": text}


FIXED = {"verdict", "taken_at", "severity"}
KNOWN = {
    *result(),
    *("msg", "failure", "failed", "hint", "kind", "name", "passed", "detail", "count", "size", "differs"),
}
KNOWN |= {"start", "restore", "ready", "proof", "total", "equal", "added", "removed", "changed", "names", "crash_log"}
KNOWN |= {"severity", "sentence"}


@pytest.mark.parametrize("verdict", ["proven", "died"])
def test_every_text_is_escaped(verdict: str) -> None:
    change = {"added": 1, "removed": 0, "changed": 2, "equal": True, "names": {}}
    finding = {"name": "x", "severity": "critical", "sentence": "x", "count": 1, "names": ["x"], "crash_log": ["x"]}
    asserted = [{"name": "x", "passed": False, "detail": "x"}]
    told = {"findings": [finding], "assertions": asserted, "changes": {"KVS": change}, "kept_dir": "x"}
    one = result(**told) if verdict == "proven" else failed(verdict, "x", "x", **told)
    page, clean = page_of(host_of(one, EVIL)), page_of(host_of(one, "harmless"))
    # The same page but for its texts: nothing that was told became markup.
    names = [tag for tag, _attributes in Tags(page).seen]
    assert names == [tag for tag, _attributes in Tags(clean).seen]
    assert not {"script", "img"} & set(names)
    assert "{{ 7 * 7 }}" in page
    assert EVIL in "".join(Tags(page).text)


def test_what_stores_and_manifests_say_is_escaped_and_has_no_direction() -> None:
    evil = f"{EVIL}\u202egnp\u2066\u200b"

    def page(text: str) -> str:
        told = archives("a", "/a", 3)
        # The name of a file is what follows the last slash.
        file = text.replace("/", "")
        for one in told:
            one.update(path=f"/a/{file}.snap", signed_by=text, cluster={"name": "a", "servers": [text]})
        seen = look(f"/{text}", told, 1, on=text, other_clusters=[text])
        seen["pruned"] = {**seen["pruned"], "failure": {"kind": "retention"}, "msg": text}
        for one in seen["pruned"]["archives"]:
            one.update(path=f"/a/{file}.snap", reasons=[text] if one["keep"] else [])
        gone = {"store": f"s3://{text}/", "on": text, "listed": {"unreachable": True, "msg": text}}
        return page_of({**one_cluster("a", seen, gone, slo={"copies": 9}), "signed_only": True})

    shown = page(evil)
    names = [tag for tag, _attributes in Tags(shown).seen]
    assert names == [tag for tag, _attributes in Tags(page("harmless")).seen]
    assert not {"script", "img"} & set(names)
    assert not {"\u202e", "\u2066", "\u200b"} & set(shown)
    assert "\\u202egnp" in shown
    assert "{{ 7 * 7 }}" in shown


@pytest.mark.parametrize(
    "entries",
    [fleet(), [], [entry("one", result("one"))], catalogued()],
    ids=["fleet", "none", "one", "catalogued"],
)
def test_it_needs_nothing_but_itself(entries: list[dict[str, Any]]) -> None:
    report = rehearsal_report(entries, at=NOW)
    page = page_of(*entries, earlier=earlier(report) if entries else [])
    tags = Tags(page).seen
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _told in tags}
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "style")], tag
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"https?:|url\(|@import", page)
    policy = next(told["content"] for tag, told in tags if told.get("http-equiv") == "Content-Security-Policy")
    assert (policy or "").startswith("default-src 'none';")


@pytest.mark.parametrize("entries", [fleet(), catalogued()], ids=["fleet", "catalogued"])
def test_every_link_leads_somewhere(entries: list[dict[str, Any]]) -> None:
    tags = Tags(page_of(*entries)).seen
    ids = [told["id"] for _tag, told in tags if "id" in told]
    assert len(ids) == len(set(ids))
    assert {told["href"] for tag, told in tags if tag == "a"} <= {f"#{one}" for one in ids}


def test_it_is_no_page_of_anything_else() -> None:
    with pytest.raises(Exception, match="rehearsal_html requires what the filter rehearsal_report returned"):
        rehearsal_html({"clusters": []}, templates=TEMPLATES)
