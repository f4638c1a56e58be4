# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The format of an archive, bytes in, values out.

An archive is::

    gzip
      tar
        meta.json     raft's facts: Index, Term, Configuration, Size of state.bin   -> meta
        state.bin     header {LastIndex}, then records until its end                -> state
                        1 byte: record type    1 msgpack value: the record          -> records/stream
        SHA256SUMS    the digests of both                                           -> meta

``reader`` joins the layers into one pass: every byte is read and checked, and each record is shown to visitors as it
passes. ``restore_facts`` reads the beginning only. ``records/`` holds what one record is, ``checks/`` what is wrong
with one.

Promises: an archive that Consul refuses is refused; what is read here is hostile, and ends in an ArchiveError or a
value, within bounded time and memory.
May import: ``_model``, ``_system``.
"""

from __future__ import annotations
