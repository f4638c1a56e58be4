# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies from directory to directory: what is there afterwards, and what is not."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ArchiveError,
    FileError,
    OptionError,
    SealedError,
    SignatureError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.copy.candidates import CopyRequest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.copy.run import Copies, copy_archives
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.confirmation import (
    Confirmation,
    confirmation_name,
    encode_confirmation,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

CLUSTER = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"), "production")


def data_of(index: int) -> bytes:
    return archive_around(state_of([kv("a", b"1"), kv("b", str(index).encode())]), index=index)


def manifest_of(data: bytes, name: str, **changes: Any) -> Manifest:
    digest = Digest(len(data), hashlib.sha256(data).hexdigest())
    consistency = Consistency(False, 0, True)
    manifest = manifest_for(read_archive([data]), digest, file=name, cluster=CLUSTER, consistency=consistency)
    return replace(manifest, **changes)


def put(directory: Path, name: str, data: bytes, *, described: bool = True, **changes: Any) -> Path:
    """Put an archive into a directory, with its manifest."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_bytes(data)
    if described:
        text = encode_manifest(manifest_of(data, name, **changes))
        (directory / f"{name}.manifest.json").write_bytes(text)
    return directory / name


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def seen(directory: Path) -> dict[str, tuple[int, int]]:
    """Return what tells that a file is still the very one."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in directory.iterdir()}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    put(tmp_path / "here", "one.snap", data_of(100), taken_at=1_700_000_000.0, confirmed_at=1_700_000_000.0)
    put(tmp_path / "here", "two.snap", data_of(200), taken_at=1_700_086_400.0, confirmed_at=1_700_086_400.0)
    return tmp_path / "here"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


def copied(src: Path, dest: Path, *, check: bool = False, **options: Any) -> Copies:
    copies = Copies()
    copy_archives(CopyRequest(str(src), str(dest), **options), Journal(), copies, check=check)
    return copies


def test_a_copy_is_the_archive_and_its_manifest_and_private(here: Path, there: Path) -> None:
    rows = copied(here / "one.snap", there).copied

    assert content(there) == {name: data for name, data in content(here).items() if name.startswith("one")}
    assert {stat.S_IMODE(path.stat().st_mode) for path in there.iterdir()} == {0o600}
    assert rows == [
        {
            "src": str(here / "one.snap"),
            "dest": str(there / "one.snap"),
            "size": len(data_of(100)),
            "sha256": hashlib.sha256(data_of(100)).hexdigest(),
            "sealed": False,
            "signed": False,
            "verified": "records",
        }
    ]


def test_of_a_directory_the_newest_is_copied_or_all_the_oldest_first(here: Path, there: Path) -> None:
    assert [row["src"] for row in copied(here, there).copied] == [str(here / "two.snap")]
    assert content(there).keys() == {"two.snap", "two.snap.manifest.json"}

    copies = copied(here, there, pick="all")
    assert [row["src"] for row in copies.copied] == [str(here / "one.snap")]
    assert copies.present == [{"src": str(here / "two.snap"), "dest": str(there / "two.snap")}]
    assert content(there) == content(here)


def test_a_second_run_changes_nothing(here: Path, there: Path) -> None:
    assert copied(here, there, pick="all").as_result()["changed"]
    before = seen(there)
    result = copied(here, there, pick="all").as_result()

    assert (result["changed"], result["copied"], len(result["present"])) == (False, [], 2)
    assert seen(there) == before


def test_check_mode_says_what_would_be_copied_and_writes_nothing(here: Path, there: Path) -> None:
    copies = copied(here, there / "new", pick="all", create_directory=True, check=True)

    assert [(row["dest"], row["size"]) for row in copies.copied] == [
        (str(there / "new" / "one.snap"), None),
        (str(there / "new" / "two.snap"), None),
    ]
    assert content(there) == {}


def test_a_directory_is_created_only_on_request(here: Path, there: Path) -> None:
    with pytest.raises(FileError, match="new"):
        copied(here, there / "new")
    copied(here, there / "new", create_directory=True)

    assert stat.S_IMODE((there / "new").stat().st_mode) == 0o700
    assert (there / "new" / "two.snap").read_bytes() == data_of(200)


def test_a_name_that_is_in_use_is_left_alone(here: Path, there: Path) -> None:
    (there / "one.snap").write_bytes(b"somebody else's")
    (row,) = copied(here / "one.snap", there).copied

    assert row["dest"] == str(there / "one-2.snap")
    assert (there / "one.snap").read_bytes() == b"somebody else's"
    assert (there / "one-2.snap").read_bytes() == data_of(100)
    assert json.loads((there / "one-2.snap.manifest.json").read_bytes())["archive"]["file"] == "one-2.snap"


def test_a_copy_that_was_damaged_since_is_made_again(here: Path, there: Path) -> None:
    copied(here / "one.snap", there)
    damaged = bytearray((there / "one.snap").read_bytes())
    damaged[40] ^= 1
    (there / "one.snap").write_bytes(damaged)
    (row,) = copied(here / "one.snap", there).copied

    assert row["dest"] == str(there / "one-2.snap")
    assert (there / "one-2.snap").read_bytes() == data_of(100)


@pytest.mark.parametrize("harm", ["flipped", "cut", "longer"])
def test_a_damaged_archive_is_not_copied_and_the_others_are(here: Path, there: Path, harm: str) -> None:
    data = bytearray(data_of(100))
    if harm == "flipped":
        data[len(data) // 2] ^= 1
    (here / "one.snap").write_bytes({"cut": data[:-20], "longer": data + b"x"}.get(harm, data))
    copies = Copies()
    with pytest.raises(ArchiveError):
        copy_archives(CopyRequest(str(here), str(there), pick="all"), Journal(), copies, check=False)

    assert [row["src"] for row in copies.not_copied] == [str(here / "one.snap")]
    assert copies.not_copied[0]["reason"]
    assert content(there).keys() == {"two.snap", "two.snap.manifest.json"}


def test_an_archive_without_a_manifest_gets_one_of_the_cluster_that_was_named(tmp_path: Path, there: Path) -> None:
    path = put(tmp_path / "cli", "backup.snap", data_of(100), described=False)
    copied(path, there, cluster="production")
    manifest = json.loads((there / "backup.snap.manifest.json").read_bytes())

    assert manifest["cluster"]["name"] == "production"
    assert manifest["archive"]["sha256"] == hashlib.sha256(data_of(100)).hexdigest()
    assert manifest["confirmed_by_leader"] is False
    assert copied(path, there, cluster="production").copied == []


def test_a_manifest_that_leaves_something_out_is_not_passed_on(tmp_path: Path, there: Path) -> None:
    warned: list[str] = []
    path = put(tmp_path / "forged", "one.snap", data_of(100), records={}, user_records={})
    copy_archives(CopyRequest(str(path), str(there)), Journal(warned.append), Copies(), check=False)
    manifest = json.loads((there / "one.snap.manifest.json").read_bytes())

    assert manifest["user_records"] == {"KVS": 2}
    assert any("its manifest is wrong about records and user_records" in text for text in warned)


def test_a_later_confirmation_goes_along_and_is_renewed_without_a_new_copy(here: Path, there: Path) -> None:
    def confirm(when: float) -> str:
        name = confirmation_name("one.snap", when)
        sha256 = hashlib.sha256(data_of(100)).hexdigest()
        (here / name).write_bytes(encode_confirmation(Confirmation(sha256, when, CLUSTER)))
        return name

    first = confirm(1_700_001_000.0)
    copied(here / "one.snap", there)
    assert content(there)[first] == content(here)[first]

    second = confirm(1_700_002_000.0)
    assert copied(here / "one.snap", there).as_result()["changed"] is False
    assert content(there).keys() == {"one.snap", "one.snap.manifest.json", second}
    assert content(there)[second] == content(here)[second]


def test_what_must_be_signed_and_is_not_is_not_copied(here: Path, there: Path) -> None:
    signers = here.parent / "signers"
    signers.write_text("ops ssh-ed25519 AAAA\n")
    with pytest.raises(SignatureError, match="is not copied: its manifest is not signed"):
        copied(here, there, sealing=SealingSettings(allowed_signers=str(signers)))

    assert content(there) == {}


def sealed(directory: Path, *, described: bool = True) -> Path:
    """Put something that is sealed by its name into a directory; without a key nobody sees that it is not age's."""
    directory.mkdir(exist_ok=True)
    data, seal = data_of(100), b"age-encryption.org/v1 of a kind"
    (directory / "one.snap.age").write_bytes(seal)
    if described:
        digest = Digest(len(seal), hashlib.sha256(seal).hexdigest())
        text = encode_manifest(manifest_of(data, "one.snap.age", sealed=digest))
        (directory / "one.snap.age.manifest.json").write_bytes(text)
    return directory / "one.snap.age"


def test_a_sealed_archive_is_copied_by_its_checksum_where_its_manifest_is_ours(tmp_path: Path, there: Path) -> None:
    path = sealed(tmp_path / "sealed")
    (row,) = copied(path, there).copied

    assert (row["sealed"], row["verified"]) == (True, "checksum")
    assert content(there) == content(path.parent)
    assert copied(path, there).copied == []


def test_a_sealed_archive_that_has_other_bytes_is_not_copied(tmp_path: Path, there: Path) -> None:
    path = sealed(tmp_path / "sealed")
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ArchiveError, match="does not have the checksum"):
        copied(path, there)

    assert content(there) == {}


@pytest.mark.parametrize("why", ["no manifest", "others can write"])
def test_a_sealed_archive_for_which_nobody_vouches_has_to_be_opened(tmp_path: Path, there: Path, why: str) -> None:
    path = sealed(tmp_path / "sealed", described=why != "no manifest")
    path.parent.chmod(0o777)
    with pytest.raises(SealedError, match="sealed") as caught:
        copied(path, there)

    assert "identity_file" in caught.value.hint
    assert content(there) == {}


def test_an_empty_store_is_an_error(tmp_path: Path, there: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionError, match="there is no archive"):
        copied(tmp_path / "empty", there)
