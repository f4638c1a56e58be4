# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The story: a cluster is lost and brought back, another one upgraded, rolled back, an archive rehearsed."""

from __future__ import annotations

import traceback
from contextlib import suppress

from lab import LabError, binaries, compare
from lab.comparison import table

from . import loss, off_site, rehearsal, upgrade, verdict
from .places import Places
from .screen import BAD, GOOD, QUIET, TITLE, Screen
from .stage import Stage

DEFECT_LOG = "defect.log"


class Story:
    """One run; ``close`` ends the servers, and ``farewell`` says what stays, however far it came."""

    def __init__(self, places: Places, screen: Screen) -> None:
        screen.shorten(places.work, "")
        self._places = places
        self._screen = screen
        self._stage = Stage(places, screen)

    def play(self) -> int:
        """Tell all of it. Return 0 when everything is back, and 1 when it is not or something failed."""
        title = "Consul clusters saved, lost, restored, rehearsed, upgraded, rolled back: all of it real."
        self._screen.line(title, TITLE)
        self._screen.text(f"In {self._places.work}, which goes at the end. Ctrl-C ends it at any time.", QUIET)
        try:
            return 0 if self._play() else 1
        except LabError as error:
            self._show_error(str(error))
        except Exception as error:
            (self._places.logs / DEFECT_LOG).write_text(traceback.format_exc(), encoding="utf-8")
            self._show_error(f"{type(error).__name__}: {error}\nSee {DEFECT_LOG}.")
        return 1

    def close(self) -> None:
        """End the servers at once, and save their logs."""
        # A terminal that is gone must not keep anything from being ended.
        with suppress(OSError):
            self._stage.close()

    def farewell(self, *, keep: bool) -> None:
        """Keep the archives if they are wanted, remove what may go, and name the rest."""
        try:
            kept = self._places.keep() if keep and self._places.backups.exists() else None
        finally:
            self._places.remove()
        with suppress(OSError):
            self._screen.line()
            if kept:
                self._screen.text(f"Archives and rollback kit: {kept}", QUIET)
            self._screen.text(f"Logs: {self._places.logs}", QUIET)

    def _play(self) -> bool:
        stage = self._stage
        stage.consul(binaries.NEW, "get Consul")
        lost = loss.play(stage)
        off = off_site.play(stage, lost.cluster, loss.NAME, lost.after, loss.REHEARSED)
        off.cluster.kill()
        upgraded = upgrade.play(stage)
        report = rehearsal.play(stage, off.cluster)
        faults = [*self._show_loss(lost), *self._show_upgrade(upgraded)]
        self._show_times()
        for fault in faults:
            self._screen.text(f"WRONG: {fault}", BAD)
        if not faults:
            number = sum(row.after for row in compare(lost.before, lost.after) if row.durable)
            self._screen.text(f"Everything is back: {number} of {number} durable things, each of them the same.", GOOD)
        self._screen.text(f"The report of the rehearsal: {report}")
        return not faults

    def _show_error(self, text: str) -> None:
        self._screen.line()
        for line in text.splitlines():
            self._screen.text(line, BAD)

    def _show_loss(self, lost: loss.Loss) -> list[str]:
        rows = compare(lost.before, lost.after)
        durable = [row for row in rows if row.durable]
        self._stage.steps.heading("Before the disaster and after, by HTTP requests and the consul command")
        heading, *lines = table(durable).splitlines()
        self._screen.line(f"    {heading}", QUIET)
        for row, line in zip(durable, lines, strict=True):
            self._screen.line(f"    {line}", GOOD if row.equal else BAD)
        self._stage.steps.heading("What belongs to agents: it comes and goes with them, and is not counted as lost")
        belongings = verdict.of_agents(lost.before, lost.after, dead=lost.dead, new=lost.new)
        width = max(len(one.what) for one in belongings)
        self._screen.line(f"    {'':<{width}}  before  after", QUIET)
        for one in belongings:
            self._screen.line(f"    {one.what:<{width}}  {one.before:>6}  {one.after:>5}")
            self._screen.line(f"      {one.why}", QUIET)
        counted = verdict.record_faults(lost.counted, lost.recounted)
        return [*verdict.faults(rows, {*lost.dead, *lost.new}), *counted]

    def _show_upgrade(self, seen: upgrade.Upgrade) -> list[str]:
        rows = verdict.through_upgrade(seen.before, seen.upgraded, seen.back)
        self._stage.steps.heading(f"Consul {binaries.OLD}, upgraded to {binaries.NEW}, and back with the kit")
        width = max(len(row.type) for row in rows)
        self._screen.line(f"    {'type':<{width}}  before  upgraded  back  verdict", QUIET)
        for row in rows:
            counts = f"{row.before:>6}  {row.upgraded:>8}  {row.back:>4}"
            self._screen.line(f"    {row.type:<{width}}  {counts}  {row.verdict}", BAD if row.faults else GOOD)
        return [fault for row in rows for fault in row.faults]

    def _show_times(self) -> None:
        self._stage.steps.heading("Times")
        for line in self._stage.steps.table():
            self._screen.line(f"    {line}")
        self._screen.line()
