# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a cluster, from the archive's first byte to the proof."""

from __future__ import annotations

from ..._consul.client import Client
from ..._storage.archive_source import ArchiveSource, source_of
from ..._storage.local_copy import copy_in, room_for
from ..._system.scratch_file import ScratchFile
from ..journal import Journal
from ..proof import Prover
from ..storing import of_room
from .assess import assess, reference_before, reference_of, remarks_on
from .look import asker_of, equivalence, look, tokens_of, verify
from .outcome import AFTERWARDS
from .prove import look_at_peerings, prove, wait
from .result import of_plan, of_source, of_target
from .safety_archive import publish, safety_file
from .send import send
from .sides import RestoreRequest
from .states import NOTHING_SENT


def restore(client: Client, later: Client, request: RestoreRequest, journal: Journal, *, check: bool) -> bool:
    """Bring a cluster to the content of an archive; return whether that took, or would take, a restore.

    :param later: asks the same agent with the token that holds after the restore.
    :param journal: shows what is known at each moment; ``journal.state`` is what is known of the cluster's content.
    :param check: stop before the first byte is sent and write nothing.
    :raises GuardError: a guard refused. :raises RestoreError: it was sent and did not end well; ``state`` says how.
    """
    journal.state = NOTHING_SENT
    source = source_of(request.src, "src", request.store, request.sealing)
    room = room_for(source, request.work_dir)
    journal.show(of_room(room))
    with copy_in(room, "work_dir", check=check) as copy:
        return _restore(client, later, request, journal, check=check, archive=source, copy=copy)


def _restore(
    client: Client,
    later: Client,
    request: RestoreRequest,
    journal: Journal,
    *,
    check: bool,
    archive: ArchiveSource,
    copy: ScratchFile | None,
) -> bool:
    backup_file = None
    # By the option that their token comes from.
    clients = {"token": client} if later is client else {"token": client, AFTERWARDS: later}

    with journal.phase("verify"):
        verified = verify(archive, tokens_of(clients), copy)
    remarks = remarks_on(verified.source, request)
    journal.show(of_source(verified.source, remarks), warnings=remarks)

    with safety_file(request.backup_dir, check=check, store=request.store, sealing=request.sealing) as partial:
        with journal.phase("target"):
            asker = asker_of(clients, request.datacenter)
            target = look(asker, clients, partial, request, journal)
            reference = reference_of(verified.source, target)
            equivalent = equivalence(asker, request, reference, target)
        journal.show(of_target(verified.source, target, request))

        plan = assess(request, verified, target, reference, equivalent)
        journal.show(of_plan(plan))
        if plan.refusal is not None:
            raise plan.refusal
        journal.show({}, warnings=plan.warnings)
        upload = plan.upload
        if check or upload is None:
            return upload is not None

        if partial is not None and upload.replaces_content:
            with journal.phase("backup"):
                backup_file = publish(partial, request, target, upload.before)
            journal.show({"backup_file": backup_file})

    later = clients.get(upload.surviving_token or "", later)
    prover = Prover(upload.reference, request.datacenter)
    with journal.phase("restore"):
        before = source_of(backup_file, "backup_dir", request.store, request.sealing) if backup_file else None
        old = Prover(reference_before(upload, before), request.datacenter)
        send((asker, later), request, upload.source, journal, after=prover, before=old, backup_file=backup_file)
    with journal.phase("wait"):
        wait(later, request, upload.expected, prover=prover, backup_file=backup_file)
    with journal.phase("proof"):
        proof = prove(later, request, prover=prover, backup_file=backup_file)
    journal.show({"proof": proof})
    if upload.peerings:
        with journal.phase("peerings"):
            step = look_at_peerings(later, upload.peerings)
        if step:
            journal.show({"next_steps": [step, *upload.follow_up.next_steps]}, warnings=[step])
    return True
