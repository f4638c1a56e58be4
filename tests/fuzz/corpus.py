# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases that once disagreed, or show where a line is drawn; every run tries them first.

A row: ``name``, ``layer``, ``kind``, ``archive`` (base64), ``ours`` (accepts, guarded or refuses), ``consul``
(restores, refuses, limps or dies; null where no server is to be asked), ``why``. They are made of made-up records and
hold no secret.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import NamedTuple

from .cases import Case
from .reader import ACCEPTS, Reading
from .servers import DIES, LIMPS, Judgement

DIRECTORY = Path(__file__).resolve().parent / "corpus"


class Row(NamedTuple):
    """A case with the verdicts that it has to get."""

    case: Case
    name: str
    ours: str
    consul: str | None
    why: str


def rows() -> list[Row]:
    """Return all of them."""
    found = []
    for path in sorted(DIRECTORY.glob("*.json")):
        for told in json.loads(path.read_text(encoding="utf-8")):
            case = Case(-1, told["layer"], told["kind"], 0, base64.b64decode(told["archive"]))
            found.append(Row(case, told["name"], told["ours"], told["consul"], told["why"]))
    return found


def word_of(reading: Reading) -> str:
    """Return what our code says, in the words of a row."""
    return "guarded" if reading.verdict == ACCEPTS and reading.guards else reading.verdict


def complaint(row: Row, reading: Reading, judged: Judgement | None) -> str | None:
    """Return what is not as the row says; None when all is."""
    ours = word_of(reading)
    if row.ours == ACCEPTS and row.consul in (DIES, LIMPS) and ours != ACCEPTS and not reading.exceptions:
        return f"{row.name}: this disagreement is gone; write the row anew with python -m fuzz.rows"
    if ours != row.ours or reading.exceptions:
        return f"{row.name}: ours is {ours} {reading.fault} {reading.exceptions or ''}, not {row.ours}"
    if judged is not None and row.consul not in (None, judged.verdict):
        return f"{row.name}: Consul {judged.verdict} ({judged.detail}), not {row.consul}"
    return None


def as_row(case: Case, reading: Reading, judged: Judgement | None, why: str) -> str:
    """Return a found case as it can be put into a file of the corpus."""
    told = {
        "name": case.kind,
        "layer": case.layer,
        "kind": case.kind,
        "ours": word_of(reading),
        "consul": judged.verdict if judged else None,
        "why": why,
        "archive": base64.b64encode(case.archive).decode(),
    }
    return json.dumps([told], indent=1) + "\n"
