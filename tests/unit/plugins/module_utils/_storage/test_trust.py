# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest is worth: whose work it can be, who signed it, and which archive it is of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage import trust
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import (
    NO_SEALING,
    ArchiveSource,
    source_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    ABSENT,
    MATCHES,
    STALE,
    UNREADABLE,
    ManifestMatch,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.signature_words import (
    Refusal,
    Signer,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.trust import (
    INVALID,
    NO_SIGNATURE,
    UNCHECKED,
    VALID,
    Beside,
    Signature,
    fault_of,
    look_beside,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest, digest_of

DATA = archive_around(state_of([kv("a", b"1")]))
SIGNING = SealingSettings(allowed_signers="/etc/consul/signers", revoked_signers="/etc/consul/revoked")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.snap"
    path.write_bytes(DATA)
    path.chmod(0o644)
    return path


@pytest.fixture
def manifest(archive: Path) -> Manifest:
    known = {"file": "a.snap", "cluster": ClusterIdentity("dc1", None, None)}
    digest = digest_of(str(archive))
    return manifest_for(read_archive([DATA]), digest, consistency=Consistency(False, 0, True), **known)  # type: ignore[arg-type]


def described(archive: Path, text: bytes) -> Path:
    path = archive.with_name("a.snap.manifest.json")
    path.write_bytes(text)
    path.chmod(0o644)
    return path


def source(archive: Path, sealing: SealingSettings = NO_SEALING) -> ArchiveSource:
    return source_of(str(archive), sealing=sealing)


def test_a_manifest_that_only_we_can_have_written_is_trusted(archive: Path, manifest: Manifest) -> None:
    described(archive, encode_manifest(manifest))
    assert look_beside(source(archive)) == Beside(manifest, signature=Signature(), is_trusted=True)


@pytest.mark.parametrize("shared", ["a.snap", "a.snap.manifest.json", "."])
def test_a_manifest_that_others_can_have_written_is_a_hint(archive: Path, manifest: Manifest, shared: str) -> None:
    described(archive, encode_manifest(manifest))
    (archive.parent / shared).chmod(0o777)
    found = look_beside(source(archive))
    assert (found.manifest, found.is_trusted) == (manifest, False)


def test_where_signers_are_named_only_a_signature_counts(
    archive: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = encode_manifest(manifest)
    described(archive, text)
    found = look_beside(source(archive, SIGNING))
    assert (found.is_trusted, found.signature) == (False, Signature(NO_SIGNATURE))

    archive.with_name("a.snap.manifest.json.sig").write_bytes(b"a signature")
    assert look_beside(source(archive)).signature == Signature(UNCHECKED)
    asked: list[Any] = []
    verdict: Any = Signer("ops", "SHA256:x")

    def verify(*told: Any, taken_at: float, revoked_signers: str | None) -> Any:
        asked.append((*told, taken_at, revoked_signers))
        return verdict

    monkeypatch.setattr(trust, "verify", verify)
    found = look_beside(source(archive, SIGNING))
    assert (found.is_trusted, found.signature) == (True, Signature(VALID, "ops"))
    assert asked == [(text, b"a signature", SIGNING.allowed_signers, manifest.taken_at, SIGNING.revoked_signers)]

    verdict = Refusal("changed", "it was changed")
    found = look_beside(source(archive, SIGNING))
    assert (found.is_trusted, found.signature) == (False, Signature(INVALID, None, "it was changed"))


@pytest.mark.parametrize("text", [b"{", b"x" * ((1 << 20) + 1)], ids=["no JSON", "far too long"])
def test_what_is_no_manifest_is_not_trusted(archive: Path, text: bytes) -> None:
    described(archive, text)
    found = look_beside(source(archive))
    assert (found.manifest, found.is_unreadable, found.is_trusted) == (None, True, False)
    assert found.match(Digest(1, ""), Digest(1, "")) == ManifestMatch(UNREADABLE, None)


def test_a_manifest_that_is_no_file_is_unreadable(archive: Path) -> None:
    archive.with_name("a.snap.manifest.json").mkdir()
    assert look_beside(source(archive)).is_unreadable


def test_a_signature_that_is_no_file_does_not_count(archive: Path, manifest: Manifest) -> None:
    described(archive, encode_manifest(manifest))
    archive.with_name("a.snap.manifest.json.sig").mkdir()
    found = look_beside(source(archive, SIGNING))
    assert (found.is_trusted, found.signature.status) == (False, INVALID)


class InABucket:
    """An archive in a bucket that does not give its manifest."""

    name, sealing = "a.snap", NO_SEALING

    def __init__(self, kind: FailureKind) -> None:
        self.store = self
        self.error = StoreError("no", kind=kind)

    def read_small(self, name: str, limit: int) -> bytes:
        raise self.error


def test_a_store_that_does_not_answer_is_no_missing_manifest() -> None:
    source: Any = InABucket(FailureKind.STORE_UNAVAILABLE)
    with pytest.raises(StoreError) as raised:
        look_beside(source)
    assert raised.value is source.error


def test_a_manifest_that_may_not_be_read_is_not_trusted() -> None:
    source: Any = InABucket(FailureKind.STORE_DENIED)
    assert look_beside(source) == Beside(None, is_unreadable=True)


def test_nothing_beside_an_archive(archive: Path) -> None:
    assert look_beside(source(archive)) == Beside(None)
    assert Beside(None).match(Digest(1, ""), Digest(1, "")) == ManifestMatch(ABSENT, None)


def test_which_archive_a_manifest_is_of(manifest: Manifest) -> None:
    plain = Digest(manifest.size, manifest.sha256)
    beside = Beside(manifest)
    assert beside.match(plain, plain) == ManifestMatch(MATCHES, manifest)
    assert beside.match(Digest(1, "00"), Digest(1, "00")) == ManifestMatch(STALE, None)
    # It names no sealed bytes, so it is not the manifest of a sealed archive.
    assert beside.match(Digest(9, "aa"), plain) == ManifestMatch(STALE, None)


def test_a_sealed_archive_has_to_be_that_of_its_manifest_on_both_sides(manifest: Manifest) -> None:
    plain, stored = Digest(manifest.size, manifest.sha256), Digest(9, "aa" * 32)
    sealed = Beside(replace(manifest, sealed=stored))
    assert sealed.match(stored, plain).status == MATCHES
    # Opened by hand, it is that archive still.
    assert sealed.match(plain, plain).status == MATCHES
    assert sealed.match(Digest(9, "bb" * 32), plain).status == STALE
    assert sealed.match(stored, Digest(1, "bb" * 32)).status == STALE


@pytest.mark.parametrize(
    ("status", "signature", "words"),
    [
        (MATCHES, Signature(VALID, "ops"), None),
        (ABSENT, Signature(), "no manifest"),
        (UNREADABLE, Signature(), "can't be read"),
        (MATCHES, Signature(), "is not signed"),
        (MATCHES, Signature(UNCHECKED), "was not checked"),
        (MATCHES, Signature(INVALID, reason="the key has expired"), "the key has expired"),
        (STALE, Signature(VALID, "ops"), "names another archive"),
        (STALE, Signature(), "is not signed"),
    ],
)
def test_why_nobody_vouches_for_an_archive(status: str, signature: Signature, words: str | None) -> None:
    fault = fault_of(ManifestMatch(status, None), signature)
    assert (fault is None) == (words is None)
    assert words is None or words in str(fault)
