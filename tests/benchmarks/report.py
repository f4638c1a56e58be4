# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures as a table and as one JSON document (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def document(
    *,
    figures: dict[str, Any],
    rows: list[dict[str, Any]],
    memory: list[dict[str, Any]],
    archives: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return all that was measured; a bar is reached by a ratio that is not above it.

    A row that is ``too_busy`` says nothing of its bar. ``ours_whole_s`` counts the start of the interpreter and the
    imports, which ``ours_s`` leaves out; CPU times are those of whole processes.
    """
    return {"measured_on": figures, "ratios": rows, "memory": memory, "archives": list(archives)}


def table(measured: dict[str, Any]) -> str:
    """Return the document as a table for a terminal."""
    on = measured["measured_on"]
    lines = [
        "",
        f"Consul {on['consul']}, {on['keys']:,} keys, an archive of {on['archive_mb']} MB "
        f"({on['state_mb']} MB of state), medians of {on['runs']} runs in turn",
        "",
        f"{'what':<26} {'beside':<36} {'ours':>7} {'theirs':>7} {'ratio':>6} {'bar':>6} "
        f"{'CPU: ours':>10} {'theirs':>7}",
    ]
    for row in measured["ratios"]:
        limit = " " * 7 if row["bar"] is None else f" {row['bar']:>5.2f}x"
        lines.append(
            f"{row['what']:<26} {row['beside']:<36} {row['ours_s']:>6.2f}s {row['theirs_s']:>6.2f}s "
            f"{row['ratio']:>5.2f}x{limit} {_seconds(row['ours_cpu_s']):>10} {_seconds(row['theirs_cpu_s']):>7}"
            f"{_verdict(row)}{_peak(row)}"
        )
    lines += [
        "",
        f"{'peak memory, archive of':<26} {'save':>9} {'info':>9} {'CLI save':>9} {'CLI inspect':>12} {'bar':>9}"
        f" {'sealed, S3':>12} {'bar':>9}",
    ]
    for one in measured["memory"]:
        lines.append(
            f"{one['archive_mb']:>16.1f} MB        {one['save_mib']:>5.1f} MiB {one['info_mib']:>5.1f} MiB "
            f"{one['cli_save_mib']:>5.1f} MiB {one['cli_inspect_mib']:>8.1f} MiB {one['bar_mib']:>5} MiB"
            f" {one['sealed_mib']:>8.1f} MiB {one['sealed_bar_mib']:>5} MiB"
        )
    if measured["archives"]:
        lines += ["", f"{'many archives':<26} {'in':<10} {'number':>8} {'time':>8} {'CPU':>8} {'bar':>8}"]
    for one in measured["archives"]:
        most = "" if one["bar_s"] is None else f"{one['bar_s']:>7.0f}s"
        took = f"{one['seconds']:>7.2f}s {one['cpu_s']:>7.2f}s {most}"
        lines.append(f"{one['what']:<26} {one['place']:<10} {one['archives']:>8,} {took}".rstrip())
    return "\n".join(lines)


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f}s" if seconds else "-"


def _verdict(row: dict[str, Any]) -> str:
    if row["too_busy"]:
        return f"  too busy to tell: computing took {row['crowding']:.2f}x its CPU time"
    return "  above its bar" if row["bar"] is not None and row["ratio"] > row["bar"] else ""


def _peak(row: dict[str, Any]) -> str:
    return f"  (at most {row['peak_mib']} MiB)" if "peak_mib" in row else ""
