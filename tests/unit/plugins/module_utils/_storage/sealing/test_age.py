# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives sealed on their way to another writer, and opened on their way from somewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ArchiveError,
    FileError,
    OptionError,
    SealedError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import age, pyrage_filter, tools
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.age import SealingWriter
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings

pyrage = pytest.importorskip("pyrage", reason="there is no pyrage for this Python")
CONTENT = bytes(range(256)) * 1024


class Kept:
    """A writer that keeps what it is given, and what was asked of it."""

    def __init__(self, *, full_at: int | None = None) -> None:
        self.calls: list[str] = []
        self.content, self._full_at = b"", full_at

    def __enter__(self) -> Kept:
        self.calls.append("enter")
        return self

    def __exit__(self, *exc: object) -> None:
        self.calls.append("exit")

    def restart(self, name: str) -> None:
        self.calls.append(f"restart {name}")
        self.content = b""

    def write(self, data: bytes) -> None:
        self.content += data
        if self._full_at is not None and len(self.content) >= self._full_at:
            raise FileError("can't write: the disk is full")

    def sync(self) -> None:
        self.calls.append("sync")

    def publish(self, sha256: str) -> str:
        self.calls.append(f"publish {sha256}")
        return "the name"


class Key:
    """A key and the file that it is in."""

    def __init__(self, directory: Path) -> None:
        self.identity = pyrage.x25519.Identity.generate()
        self.recipient = str(self.identity.to_public())
        self.path = directory / f"{self.recipient[-8:]}.txt"
        self.path.write_text(f"# a key\n{self.identity}\n", encoding="utf-8")
        self.path.chmod(0o600)


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return Key(tmp_path)


@pytest.fixture
def settings(key: Key) -> SealingSettings:
    return SealingSettings(recipients=(key.recipient,))


def sealed(settings: SealingSettings, content: bytes = CONTENT) -> bytes:
    kept = Kept()
    with SealingWriter(kept, settings) as writer:
        writer.restart("x.snap.age")
        writer.write(content)
        writer.finish()
    return kept.content


def in_pieces(data: bytes, step: int = 50_021) -> Iterator[bytes]:
    return (data[start : start + step] for start in range(0, len(data), step))


def write_all(writer: SealingWriter, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)


# ---- Names


@pytest.mark.parametrize(
    ("name", "expected"), [("x.snap.age", True), ("s3://b/x.snap.age", True), ("x.snap", False), ("x.age.snap", False)]
)
def test_the_name_says_that_it_is_sealed(name: str, expected: bool) -> None:
    assert age.is_sealed(name) == expected


def test_a_name_is_sealed_once() -> None:
    assert age.sealed_name("x.snap") == age.sealed_name(age.sealed_name("x.snap")) == "x.snap.age"


# ---- To seal


def test_what_is_passed_on_is_encrypted_and_its_digest_is_published(settings: SealingSettings, key: Key) -> None:
    kept = Kept()
    with SealingWriter(kept, settings) as writer:
        writer.restart("x.snap.age")
        for piece in in_pieces(CONTENT):
            writer.write(piece)
        digest = writer.finish()
        writer.sync()
        assert writer.publish("that of the plain one") == "the name"
    assert pyrage.decrypt(kept.content, [key.identity]) == CONTENT
    assert digest == writer.digest == (len(kept.content), hashlib.sha256(kept.content).hexdigest())
    assert kept.calls == ["enter", "restart x.snap.age", "sync", f"publish {digest.sha256}", "exit"]


def test_publish_finishes_what_was_not_finished(settings: SealingSettings, key: Key) -> None:
    kept = Kept()
    with SealingWriter(kept, settings) as writer:
        writer.restart("x.snap.age")
        writer.write(CONTENT)
        writer.publish("")
    assert pyrage.decrypt(kept.content, [key.identity]) == CONTENT
    assert kept.calls[-2] == f"publish {hashlib.sha256(kept.content).hexdigest()}"


def test_a_second_beginning_drops_the_first(settings: SealingSettings, key: Key) -> None:
    kept = Kept()
    with SealingWriter(kept, settings) as writer:
        for name, content in (("first", CONTENT), ("second", b"short")):
            writer.restart(name)
            writer.write(content)
            writer.finish()
        assert writer.digest.size == len(kept.content)
    assert pyrage.decrypt(kept.content, [key.identity]) == b"short"


def test_nothing_is_appended_once_it_is_finished(settings: SealingSettings) -> None:
    with SealingWriter(Kept(), settings) as writer:
        writer.restart("x")
        writer.finish()
        with pytest.raises(ValueError, match="finished"):
            writer.write(b"more")


def test_an_error_of_the_other_writer_comes_through(settings: SealingSettings) -> None:
    kept = Kept(full_at=1 << 16)
    with SealingWriter(kept, settings) as writer:
        writer.restart("x")
        with pytest.raises(FileError, match="disk is full"):
            write_all(writer, [CONTENT] * 100)
    assert kept.calls == ["enter", "restart x", "exit"]


def test_without_a_recipient_nothing_is_sealed() -> None:
    with pytest.raises(ValueError, match="never be opened"):
        SealingWriter(Kept(), SealingSettings())
    assert age.check_recipients(SealingSettings()) == []
    assert age.sealed_with(SealingSettings()) is None


# ---- To whom


def test_the_list_and_the_file_count_together(tmp_path: Path) -> None:
    first, second = Key(tmp_path), Key(tmp_path)
    file = tmp_path / "recipients"
    file.write_text(f"# escrow\n{second.recipient}\n{first.recipient}\n", encoding="utf-8")
    file.chmod(0o644)
    settings = SealingSettings(recipients=(f" {first.recipient}\n",), recipients_file=str(file))
    assert age.recipients_of(settings) == (first.recipient, second.recipient)
    assert age.check_recipients(settings) == []
    for key in (first, second):
        assert pyrage.decrypt(sealed(settings), [key.identity]) == CONTENT


def test_one_recipient_alone_is_remarked_on(settings: SealingSettings) -> None:
    (remark,) = age.check_recipients(settings)
    assert "one recipient only" in remark
    assert age.sealed_with(settings) == "pyrage"


def test_the_recipient_that_is_refused_is_named_by_its_number(key: Key) -> None:
    damaged = key.recipient[:-1] + ("q" if key.recipient[-1] != "q" else "p")
    with pytest.raises(OptionError, match=r"^encrypt_to, item 2: pyrage does not take this recipient") as caught:
        age.check_recipients(SealingSettings(recipients=(key.recipient, damaged)))
    assert damaged not in caught.value.as_text()


def test_the_file_of_a_recipient_that_is_refused_is_named(key: Key, tmp_path: Path) -> None:
    file = tmp_path / "recipients"
    file.write_text("ssh-rsa AAAA me\n", encoding="utf-8")
    with pytest.raises(OptionError, match=f"^{file}: pyrage does not take"):
        age.check_recipients(SealingSettings(recipients=(key.recipient,), recipients_file=str(file)))


@pytest.mark.parametrize("size", [0, (1 << 20) + 1])
def test_a_file_of_recipients_has_bounds(size: int, tmp_path: Path) -> None:
    file = tmp_path / "recipients"
    file.write_bytes(b"#" * size)
    with pytest.raises(OptionError, match=r"names no recipient|more than 1048576 bytes"):
        age.check_recipients(SealingSettings(recipients_file=str(file)))


def test_a_file_of_recipients_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="can't read encrypt_to_file"):
        age.check_recipients(SealingSettings(recipients_file=str(tmp_path / "none")))


def test_a_tool_that_takes_nobody_is_at_fault_itself(
    settings: SealingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyrage_filter, "is_installed", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "age"
    program.write_text("#!/bin/sh\necho 'age: error: X25519 is not allowed in FIPS mode' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(tools, "is_fips_host", lambda: True)
    with pytest.raises(SealedError, match="age can't encrypt the archive: X25519 is not allowed") as caught:
        age.check_recipients(settings)
    assert "FIPS mode" in caught.value.hint


# ---- To open


@pytest.mark.parametrize("step", [1000, 50_021, 1 << 30])
def test_what_was_sealed_is_opened(step: int, settings: SealingSettings, key: Key) -> None:
    pieces = in_pieces(sealed(settings), step)
    assert b"".join(age.unsealed(pieces, str(key.path))) == CONTENT


def test_tiny_pieces(settings: SealingSettings, key: Key) -> None:
    assert b"".join(age.unsealed(in_pieces(sealed(settings, b"tiny"), 1), str(key.path))) == b"tiny"


def test_a_piece_comes_before_all_was_read(settings: SealingSettings, key: Key) -> None:
    read = 0

    def counted() -> Iterator[bytes]:
        nonlocal read
        for piece in in_pieces(sealed(settings, CONTENT * 64)):
            read += len(piece)
            yield piece

    opening = age.unsealed(counted(), str(key.path))
    next(opening)
    assert read < len(CONTENT) * 64
    opening.close()


def test_nothing_is_read_before_it_is_asked_for(key: Key) -> None:
    def never() -> Iterator[bytes]:
        asked.append(True)
        yield b""

    asked: list[bool] = []
    age.unsealed(never(), str(key.path)).close()
    assert asked == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "appended", "header"])
def test_damage_is_refused(damage: str, settings: SealingSettings, key: Key) -> None:
    data = bytearray(sealed(settings))
    if damage == "cut":
        data = data[:-1]
    elif damage == "flipped":
        data[100_000] ^= 1
    elif damage == "appended":
        data += b"x"
    else:
        data = data[:60]
    with pytest.raises(ArchiveError, match="damaged or incomplete") as caught:
        list(age.unsealed(in_pieces(bytes(data)), str(key.path)))
    assert caught.value.fault == "sealed"


def test_another_key_does_not_open_it(settings: SealingSettings, tmp_path: Path) -> None:
    other = Key(tmp_path)
    with pytest.raises(SealedError, match="does not open this archive") as caught:
        list(age.unsealed([sealed(settings)], str(other.path)))
    assert str(other.identity) not in caught.value.as_text()
    assert other.recipient not in caught.value.as_text()


def test_a_plain_archive_is_not_sealed(key: Key) -> None:
    with pytest.raises(ArchiveError, match="not encrypted by age"):
        list(age.unsealed([b"\x1f\x8b\x08" + bytes(500)], str(key.path)))


def test_a_passphrase_instead_of_a_key(key: Key) -> None:
    with pytest.raises(SealedError, match="with a passphrase, not to a key"):
        list(age.unsealed([pyrage.passphrase.encrypt(b"data", "hunter2")], str(key.path)))


def test_no_key_is_set(settings: SealingSettings) -> None:
    with pytest.raises(SealedError, match="identity_file is not set"):
        list(age.unsealed([sealed(settings)], None))


# ---- The key's file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", "protected by a passphrase"),
        ("age1qqqq\n", "holds a public key"),
        ("", "holds no key"),
        ("AGE-SECRET-KEY-1QQQQ\n", "pyrage can't use the key"),
    ],
)
def test_a_key_that_is_of_no_use(content: str, words: str, tmp_path: Path, settings: SealingSettings) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SealedError, match=words) as caught:
        list(age.unsealed([sealed(settings)], str(file)))
    assert "AGE-SECRET-KEY-1" not in caught.value.as_text()


def test_a_key_that_is_not_there(tmp_path: Path, settings: SealingSettings) -> None:
    with pytest.raises(FileError, match="can't read identity_file"):
        list(age.unsealed([sealed(settings)], str(tmp_path / "none")))


def test_a_key_with_a_passphrase_says_how_to_do_without(tmp_path: Path, settings: SealingSettings) -> None:
    file = tmp_path / "key"
    file.write_text("-----BEGIN AGE ENCRYPTED FILE-----\n", encoding="utf-8")
    with pytest.raises(SealedError, match="nobody can be asked") as caught:
        list(age.unsealed([sealed(settings)], str(file)))
    assert "ssh-keygen -p" in caught.value.hint
