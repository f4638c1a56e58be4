# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending an archive, once, and a look at the cluster where the answer does not say what it holds now."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from ..._consul.client import Client
from ..._errors import SnapshotError
from ..journal import Journal
from ..proof import Prover
from .outcome import failed, is_over, state_by_answer, state_by_comparisons, state_by_content
from .sides import RestoreRequest, Source
from .states import REJECTED, REPLACED, UNKNOWN


def send(
    askers: Sequence[Client],
    request: RestoreRequest,
    source: Source,
    journal: Journal,
    *,
    after: Prover,
    before: Prover,
    backup_file: str | None,
) -> None:
    """Send the very bytes that were verified. ``journal.state`` says at each moment what is known of the cluster.

    :param askers: the first one sends; each can look at the cluster, as long as its token holds.
    :param after: compares with the archive. :param before: compares with what the cluster held before.
    :raises FileError: the archive was changed since; nothing was sent.
    :raises RestoreError: the answer was not a plain yes; its ``state`` says what the cluster holds.
    """
    with source.open() as archive:
        journal.state = UNKNOWN
        try:
            askers[0].restore(archive, source.digest.size, datacenter=request.datacenter)
            journal.state = REPLACED
            return
        except SnapshotError as error:
            answer = error
    state = state_by_answer(answer)
    if state is None:
        state = _state_by_look(askers, after, before)
        if state == REJECTED and not is_over(answer):
            state = UNKNOWN
    journal.state = state
    raise failed(answer, state, backup_file)


def _state_by_look(askers: Sequence[Client], after: Prover, before: Prover) -> str:
    # A 500 can come before and after the state is replaced. The first client whose token still holds decides.
    old = before.reference.fingerprint
    for asker in askers:
        with contextlib.suppress(SnapshotError):
            seen = after.compare(asker, known=old)
            return state_by_content(seen, old) or state_by_comparisons(seen, before.compare(asker))
    return UNKNOWN
