# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must stop a restore before its first byte; one case a row. The server sees no PUT in any of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import archives
from support.answers import after, half_then, hangs_up, real, reset, says, says_json, stalls
from support.archives import GZIP_TRAILER, META, STATE, SUMS, archive_of, cut_inside, mended, parts_of, replaced
from support.faults import Fault, FaultServer, pass_on
from support.limits import FILE_SIZE
from support.modules import Outcome
from support.scene import RESTORE, SNAPSHOT, Restoring
from support.states import incompressible, kv, with_records

from lab import Cluster

ALL_RISKS = ["replace_content", "unhealthy_target"]
AUTHORIZE = ("POST", "/v1/internal/acl/authorize")
LEADER = ("GET", "/v1/status/leader")
HEALTH = ("GET", "/v1/operator/autopilot/health")
UNHEALTHY = {"Healthy": False, "FailureTolerance": 0, "Servers": []}

Change = Callable[[bytes], bytes]


def found(outcome: Outcome) -> dict[str, str]:
    """What each guard found."""
    return {guard["name"]: guard["status"] for guard in outcome.result["guards"]}


def refusing(outcome: Outcome) -> set[str]:
    """The guards that refuse, by name."""
    return {name for name, status in found(outcome).items() if status == "refused"}


DAMAGES: dict[str, tuple[Change, str]] = {
    "a flipped bit": (lambda data: archives.flipped(data, len(data) // 2), ""),
    "cut in state.bin": (lambda data: cut_inside(data, STATE), "truncated"),
    "cut in the gzip trailer": (lambda data: cut_inside(data, GZIP_TRAILER), "truncated"),
    "text at its end": (lambda data: data + b"EOF", "trailing"),
    "gzipped twice": (archives.zipped, "double_gzip"),
    "no archive": (lambda _data: b"notes\n", "not_gzip"),
    "empty": (lambda _data: b"", "truncated"),
    "a wrong sum": (lambda data: archive_of(replaced(data, META, b"{}\n")), "sums"),
    "a wrong Size": (
        lambda data: archive_of(
            mended(replaced(data, META, archives.with_meta(archives.part_of(data, META), Size=1)), size=False)
        ),
        "size",
    ),
    "cut in a record": (lambda data: archives.with_state(data, archives.part_of(data, STATE)[:-3]), "records"),
    "a member too few": (lambda data: archive_of(p for p in parts_of(data) if p.name != SUMS), "truncated"),
}


@pytest.mark.parametrize("manifest", [True, False], ids=["with its manifest", "without"])
@pytest.mark.parametrize(("change", "fault"), DAMAGES.values(), ids=DAMAGES)
def test_an_archive_that_does_not_verify(restoring: Restoring, change: Change, fault: str, manifest: bool) -> None:
    restoring.src.write_bytes(change(restoring.src.read_bytes()))
    if not manifest:
        restoring.manifest.unlink()
    outcome = restoring.restore(accept_risks=ALL_RISKS)
    restoring.check_refused(outcome, "guard")
    assert refusing(outcome) == {"archive"}
    assert not fault or outcome.failure["fault"] == fault


def test_a_manifest_of_other_bytes_does_not_count(restoring: Restoring) -> None:
    # Whole, but not the bytes that the manifest was written for: read in full, and good.
    restoring.src.write_bytes(archive_of(parts_of(restoring.src.read_bytes())[::-1]))
    outcome = restoring.restore(check=True)
    assert outcome.result["changed"]
    assert found(outcome)["archive"] == "passed"


@pytest.mark.parametrize("missing", ["missing.snap", ""], ids=["a missing file", "a directory"])
def test_an_archive_that_is_not_there(restoring: Restoring, server: FaultServer, missing: str) -> None:
    restoring.check_refused(restoring.restore(src=str(restoring.src.parent / missing)), "file")
    assert server.requests == []


TOKENS = {
    "may not": (AUTHORIZE, says_json([{"Resource": "acl", "Access": "write", "Allow": False}]), "token"),
    "unknown": (AUTHORIZE, says(403, "ACL not found"), "token"),
    "refused": (AUTHORIZE, says(403, "Permission denied"), "token"),
}


@pytest.mark.parametrize(("question", "answer", "guard"), TOKENS.values(), ids=TOKENS)
def test_a_token_that_may_not(
    restoring: Restoring, server: FaultServer, question: tuple[str, str], answer: Fault, guard: str
) -> None:
    server.on(*question, answer)
    outcome = restoring.restore(accept_risks=ALL_RISKS)
    restoring.check_refused(outcome, "guard")
    assert guard in refusing(outcome)


def test_real_tokens_that_may_not(restoring: Restoring, consul: Cluster) -> None:
    weak = consul.put("/v1/acl/token", {"Description": "without a policy"})
    for token in (weak["SecretID"], "00000000-0000-0000-0000-00000000dead", ""):
        outcome = restoring.restore(accept_risks=ALL_RISKS, token=token)
        restoring.check_refused(outcome, "guard")
        assert "token" in refusing(outcome)
        assert not token or token not in outcome.stdout
    consul.http("DELETE", f"/v1/acl/token/{weak['AccessorID']}", check=True)


def test_a_token_that_could_not_be_asked_about(restoring: Restoring, server: FaultServer) -> None:
    server.on(*AUTHORIZE, says(404, "404 page not found"))
    outcome = restoring.restore(check=True)
    assert outcome.result["changed"]
    assert found(outcome)["token"] == "not_checked"


TARGETS: dict[str, tuple[Fault, dict[str, Any]]] = {
    "cut": (real(lambda body: cut_inside(body, STATE)), {}),
    "cut in the trailer": (real(lambda body: cut_inside(body, GZIP_TRAILER), framing="until closed"), {}),
    "text after it": (real(lambda body: body + b"late error"), {}),
    "reset": (half_then(reset), {}),
    "no answer": (hangs_up, {}),
    "stalled": (half_then(stalls), {"timeout": 2}),
    "500": (says(500, "something went wrong"), {}),
    "403": (says(403, "Permission denied"), {}),
    "HTML": (says(200, "<html>"), {}),
}


@pytest.mark.parametrize(("answer", "options"), TARGETS.values(), ids=TARGETS)
def test_a_target_that_can_not_be_kept(
    restoring: Restoring, server: FaultServer, answer: Fault, options: dict[str, Any]
) -> None:
    server.on(*SNAPSHOT, answer)
    outcome = restoring.restore(accept_risks=ALL_RISKS, **options)
    restoring.check_refused(outcome, "guard")
    assert refusing(outcome) == {"fresh"}


def test_a_target_whose_answer_is_cut_once(restoring: Restoring, server: FaultServer) -> None:
    server.on(*SNAPSHOT, real(lambda body: cut_inside(body, STATE)), pass_on)
    outcome = restoring.restore(check=True)
    assert outcome.result["changed"]
    assert len(outcome.result["attempts"]) == 1
    assert server.count(*SNAPSHOT) == 2


def test_no_leader(restoring: Restoring, server: FaultServer) -> None:
    server.on(*LEADER, says_json(""))
    outcome = restoring.restore(accept_risks=ALL_RISKS)
    restoring.check_refused(outcome, "guard")
    assert "health" in refusing(outcome)


def test_an_unhealthy_target(restoring: Restoring, server: FaultServer) -> None:
    server.on(*HEALTH, says_json(UNHEALTHY, 429))
    outcome = restoring.restore(wait_timeout=0)
    restoring.check_refused(outcome, "guard")
    assert refusing(outcome) == {"health"}
    # Written into the message: how to go on.
    assert "unhealthy_target" in outcome.result["msg"]
    accepted = restoring.restore(wait_timeout=0, accept_risks=ALL_RISKS, check=True)
    assert accepted.result["changed"]
    assert found(accepted)["health"] == "accepted"


def test_unhealthy_for_a_moment_only(restoring: Restoring, server: FaultServer) -> None:
    server.on(*HEALTH, says_json(UNHEALTHY, 429), pass_on)
    assert found(restoring.restore(check=True))["health"] == "passed"


@pytest.mark.parametrize("options", [{"accept_risks": []}, {"backup_dir": None}], ids=["no risk", "no backup_dir"])
def test_content_that_would_be_lost(restoring: Restoring, options: dict[str, Any]) -> None:
    outcome = restoring.restore(**options)
    restoring.check_refused(outcome, "guard")
    assert refusing(outcome) == {"fresh"}


def test_all_refusals_at_once(restoring: Restoring, server: FaultServer) -> None:
    restoring.src.write_bytes(b"notes\n")
    server.on(*HEALTH, says_json(UNHEALTHY, 429))
    outcome = restoring.restore(accept_risks=[], wait_timeout=0)
    restoring.check_refused(outcome, "guard")
    assert refusing(outcome) == {"archive", "health", "fresh"} == set(outcome.failure["refused"])


@pytest.mark.parametrize("check", [False, True])
def test_a_backup_dir_that_cannot_be_made(restoring: Restoring, check: bool) -> None:
    outcome = restoring.restore(backup_dir=str(restoring.src / "below a file"), check=check)
    restoring.check_refused(outcome, "file")


def test_no_room_for_the_safety_archive(restoring: Restoring, server: FaultServer, archive: bytes) -> None:
    large = with_records(archive, incompressible(1_200_000))
    server.on(*SNAPSHOT, real(lambda _body: large, headers={"X-Consul-Index": str(archives.index_of(archive))}))
    outcome = restoring.finish(restoring.start_restore(limits=[FILE_SIZE, "200000"]))
    restoring.check_refused(outcome, "file")


def test_check_mode_sends_and_writes_nothing(restoring: Restoring, server: FaultServer) -> None:
    outcome = restoring.restore(check=True)
    assert outcome.result["changed"]
    assert server.count(*RESTORE) == 0
    assert list(restoring.backup_dir.iterdir()) == []


def swapped(src: Path, archive: bytes) -> None:
    """Put another file in place of one, as a save does."""
    fresh = src.with_name("fresh")
    fresh.write_bytes(archive)
    fresh.replace(src)


def overwritten(src: Path, archive: bytes) -> None:
    """Write into a file that is there."""
    src.write_bytes(archive)


@pytest.mark.parametrize("change", [swapped, overwritten])
@pytest.mark.parametrize("larger", [True, False])
def test_an_archive_that_changes_after_it_was_verified(
    restoring: Restoring, server: FaultServer, change: Callable[[Path, bytes], None], larger: bool
) -> None:
    verified = restoring.src.read_bytes()
    changed = with_records(verified, [kv("more", b"x" * 5000)]) if larger else cut_inside(verified, STATE)
    server.on(*SNAPSHOT, after(lambda: change(restoring.src, changed), pass_on))
    outcome = restoring.restore()
    assert (outcome.failure["kind"], outcome.failure["state"]) == ("file", "nothing_sent"), outcome.result["msg"]
    assert "changed" in outcome.result["msg"]
    assert server.count(*RESTORE) == 0


def test_no_secret_of_either_side_is_shown(restoring: Restoring, server: FaultServer) -> None:
    secret = "4c5c3a38-later-token-of-the-archive"
    server.on(*RESTORE, says(500, "failed to decompress snapshot: EOF"))
    outcome = restoring.restore(post_restore_token=secret)
    assert outcome.failed
    assert secret not in outcome.stdout
    shutil.rmtree(restoring.backup_dir)


def test_consul_leaves_the_content_of_what_it_refuses_and_is_not_asked(restoring: Restoring, consul: Cluster) -> None:
    # docs/security.md: why a damaged archive is refused here, and not left to the server.
    state = archives.part_of(restoring.src.read_bytes(), STATE).replace(b"some text", b"CLEARTEXT")
    damaged = archive_of(replaced(restoring.src.read_bytes(), STATE, state))
    restoring.use(damaged)
    restoring.check_refused(restoring.restore(accept_risks=ALL_RISKS), "guard")
    assert left_by(consul) == []
    assert consul.http("PUT", "/v1/snapshot", data=damaged).status_code == 500
    assert [(mode, b"CLEARTEXT" in content) for mode, content in left_by(consul)] == [(0o600, True)]


def left_by(cluster: Cluster) -> list[tuple[int, bytes]]:
    """Return mode and content of the files in the directory that Consul has for temporary ones."""
    found = cluster.servers[0].directory.glob("snapshot[0-9]*")
    return [(path.stat().st_mode & 0o777, path.read_bytes()) for path in found]
