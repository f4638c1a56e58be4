# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sealed here is opened by age itself, and the other way round; what was touched is refused."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from support import collection, keys, modules
from support.keys import Key
from support.waiting import wait_until

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ArchiveError,
    OptionError,
    SealedError,
    SnapshotError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import age, pyrage_filter, tools
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.age import SealingWriter
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings

CHUNK = 1 << 16
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 7 * CHUNK + 11]
KINDS = ["x25519", "ssh-ed25519", "ssh-rsa"]


class Sink:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.content, self.published = b"", ""

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def restart(self, name: str) -> None:
        self.content = b""

    def write(self, data: bytes) -> None:
        self.content += data

    def sync(self) -> None:
        pass

    def publish(self, sha256: str) -> str:
        self.published = sha256
        return "published"


@pytest.fixture(params=["pyrage", "age", "rage"])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The tool that archives are sealed and opened with. Nothing installs rage for the tests: it takes minutes."""
    programs = keys.with_programs()["PATH"]
    if request.param == "rage":
        if shutil.which("rage") is None:
            pytest.skip("this machine has no rage")
        (tmp_path / "bin").mkdir()
        for name in ("rage", "ssh-keygen"):
            (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
        programs = str(tmp_path / "bin")
    monkeypatch.setenv("PATH", programs)
    if request.param != "pyrage":
        monkeypatch.setattr(pyrage_filter, "is_installed", lambda: False)
    return str(request.param)


@pytest.fixture
def only_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have age as the only tool."""
    monkeypatch.setenv("PATH", keys.with_programs()["PATH"])
    monkeypatch.setattr(pyrage_filter, "is_installed", lambda: False)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Key]:
    """A key of each kind, and another one of age's."""
    directory = tmp_path_factory.mktemp("keys")
    made = {kind: keys.ssh_key(directory / kind, kind[4:]) for kind in KINDS if kind.startswith("ssh-")}
    return {
        **made,
        "x25519": keys.age_key(directory / "x25519"),
        "other": keys.age_key(directory / "other"),
        "post-quantum": keys.age_key(directory / "post-quantum", "-pq"),
    }


def content(size: int) -> bytes:
    block = hashlib.sha256(b"content").digest()
    return (block * (size // len(block) + 1))[:size]


def sealed(data: bytes, *publics: str, step: int = 50_021) -> bytes:
    sink = Sink()
    with SealingWriter(sink, SealingSettings(recipients=publics)) as writer:
        writer.restart("x.snap.age")
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
        digest = writer.finish()
        writer.publish("that of the plain archive")
    assert digest == (len(sink.content), hashlib.sha256(sink.content).hexdigest())
    assert sink.published == digest.sha256
    return sink.content


def opened(data: bytes, key: Key, step: int = 50_021) -> bytes:
    pieces = (data[start : start + step] for start in range(0, len(data), step))
    return b"".join(age.unsealed(pieces, str(key.path)))


# ---- Both directions


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_age_opens_what_is_sealed_here(kind: str, size: int, tool: str, pairs: dict[str, Key]) -> None:
    assert age.sealed_with(SealingSettings(recipients=(pairs[kind].public,))) == tool
    assert keys.age_decrypt(sealed(content(size), pairs[kind].public), pairs[kind]) == content(size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_age_sealed_is_opened_here(kind: str, size: int, tool: str, pairs: dict[str, Key]) -> None:
    assert opened(keys.age_encrypt(content(size), pairs[kind].public), pairs[kind]) == content(size)


def test_armor_is_opened_as_well(tool: str, pairs: dict[str, Key]) -> None:
    data = keys.age_encrypt(content(3 * CHUNK), pairs["x25519"].public, armor=True)
    assert opened(data, pairs["x25519"]) == content(3 * CHUNK)


def test_every_recipient_opens_it_and_nobody_else(tool: str, pairs: dict[str, Key]) -> None:
    data = sealed(content(CHUNK), *(pairs[kind].public for kind in KINDS))
    for kind in KINDS:
        assert keys.age_decrypt(data, pairs[kind]) == content(CHUNK)
        assert opened(data, pairs[kind]) == content(CHUNK)
    assert keys.age_decrypt(data, pairs["other"]) is None
    with pytest.raises(SealedError, match="does not open this archive"):
        opened(data, pairs["other"])


def test_recipients_of_a_file(tool: str, pairs: dict[str, Key], tmp_path: Path) -> None:
    file = tmp_path / "recipients"
    file.write_text(f"# the safe's key\n{pairs['x25519'].public}\n\n{pairs['ssh-rsa'].public} me\n", encoding="utf-8")
    settings = SealingSettings(recipients_file=str(file))
    assert age.check_recipients(settings) == []
    sink = Sink()
    with SealingWriter(sink, settings) as writer:
        writer.restart("x")
        writer.write(b"data")
        writer.publish("")
    assert [keys.age_decrypt(sink.content, pairs[kind]) for kind in ("x25519", "ssh-rsa")] == [b"data"] * 2


def test_a_post_quantum_key_is_for_the_program(pairs: dict[str, Key], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", keys.with_programs()["PATH"])
    key = pairs["post-quantum"]
    assert age.sealed_with(SealingSettings(recipients=(key.public,))) == "age"
    data = sealed(content(CHUNK), key.public)
    assert keys.age_decrypt(data, key) == content(CHUNK)
    assert opened(data, key) == content(CHUNK)
    with pytest.raises(OptionError, match="does not take these recipients together"):
        age.check_recipients(SealingSettings(recipients=(key.public, pairs["x25519"].public)))


# ---- Touched


def test_every_flipped_and_every_cut_byte_is_refused(only_age: None, pairs: dict[str, Key]) -> None:
    # pyrage's part of it is a unit test.
    data = sealed(b"secret", pairs["x25519"].public)
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        for touched in (bytes(flipped), data[:position]):
            with pytest.raises(SnapshotError):
                opened(touched, pairs["x25519"])


@pytest.mark.parametrize("around", [1, 3, 6])
def test_a_larger_one_that_was_touched_is_refused(around: int, tool: str, pairs: dict[str, Key]) -> None:
    data = sealed(content(7 * CHUNK), pairs["x25519"].public)
    body = len(data) - 7 * (CHUNK + 16)
    border = body + around * (CHUNK + 16)
    for position in (border - 17, border - 1, border, border + 1):
        flipped = bytearray(data)
        flipped[position] ^= 1
        for touched in (bytes(flipped), data[:position], data[:border] + data[border + CHUNK + 16 :]):
            with pytest.raises(ArchiveError, match="damaged or incomplete") as caught:
                opened(touched, pairs["x25519"])
            assert caught.value.fault == "sealed"


def test_two_chunks_that_changed_places_are_refused(tool: str, pairs: dict[str, Key]) -> None:
    data = sealed(content(3 * CHUNK), pairs["x25519"].public)
    size = CHUNK + 16
    start = len(data) - 3 * size
    swapped = data[:start] + data[start + size : start + 2 * size] + data[start : start + size] + data[-size:]
    with pytest.raises(ArchiveError, match="damaged"):
        opened(swapped, pairs["x25519"])


# ---- Keys that are of no use


def test_a_key_with_a_passphrase_asks_nobody(tool: str, tmp_path: Path, pairs: dict[str, Key]) -> None:
    key = keys.ssh_key(tmp_path / "locked", passphrase="hunter2")
    data = keys.age_encrypt(b"data", key.public)
    with pytest.raises(SealedError, match="protected by a passphrase") as caught:
        opened(data, key)
    assert "ssh-keygen -p" in caught.value.hint


@pytest.mark.parametrize(
    "damage", [("AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1Q"), ("AGE-SECRET-KEY-1", "AGE-SECRET-KEY-2")]
)
def test_a_damaged_key(damage: tuple[str, str], tool: str, tmp_path: Path, pairs: dict[str, Key]) -> None:
    text = pairs["x25519"].path.read_text(encoding="utf-8").replace(*damage)
    path = tmp_path / "damaged"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    secret = text.split("AGE-SECRET-KEY-")[1].strip()
    data = sealed(b"data", pairs["x25519"].public)
    with pytest.raises(SealedError, match=r"can't use the key|holds something else") as caught:
        opened(data, Key(path, ""))
    assert secret[:12] not in caught.value.as_text()


def test_a_damaged_recipient_is_found_before_anything_is_sealed(tool: str, pairs: dict[str, Key]) -> None:
    public = pairs["x25519"].public
    damaged = public[:-1] + ("q" if public[-1] != "q" else "p")
    with pytest.raises(OptionError, match=rf"^encrypt_to, item 2: {tool} does not take this recipient"):
        age.check_recipients(SealingSettings(recipients=(public, damaged)))


# ---- The program


def children() -> list[Path]:
    """Return the processes that this one started, as the kernel shows them."""
    mine = str(os.getpid())
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text(encoding="utf-8").rpartition(")")[2].split()[1]
        except OSError:
            continue
        if parent == mine:
            found.append(path.parent)
    return found


def test_no_key_is_on_a_command_line_or_in_an_environment(
    only_age: None, pairs: dict[str, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", "a-token-of-ours")
    key = pairs["x25519"]
    secret = key.path.read_text(encoding="utf-8").split("AGE-SECRET-KEY-1")[1].strip()
    before, seen = set(children()), b""
    with SealingWriter(Sink(), SealingSettings(recipients=(key.public,))) as writer:
        writer.restart("x")
        writer.write(content(CHUNK))
        (program,) = set(children()) - before
        seen += (program / "cmdline").read_bytes() + (program / "environ").read_bytes()
    data = keys.age_encrypt(content(128 * CHUNK), key.public)
    opening = age.unsealed((data[start : start + CHUNK] for start in range(0, len(data), CHUNK)), str(key.path))
    next(opening)
    (program,) = set(children()) - before
    seen += (program / "cmdline").read_bytes() + (program / "environ").read_bytes()
    opening.close()
    assert b"-R\0/dev/fd/" in seen
    assert f"-i\0{key.path}\0".encode() in seen
    for text in (key.public, secret, "a-token-of-ours"):
        assert text.encode() not in seen
    assert set(children()) == before


def test_a_program_that_is_killed_is_no_archive(only_age: None, pairs: dict[str, Key]) -> None:
    before, sink = set(children()), Sink()
    with SealingWriter(sink, SealingSettings(recipients=(pairs["x25519"].public,))) as writer:
        writer.restart("x")
        writer.write(content(CHUNK))
        (program,) = set(children()) - before
        os.kill(int(program.name), signal.SIGKILL)
        with pytest.raises(SealedError, match="can't encrypt the archive: was killed by signal 9"):
            writer.publish("")
    assert sink.published == ""


def test_in_fips_mode_the_message_says_so(
    pairs: dict[str, Key], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Go's own switch, in the real program.
    program = tmp_path / "age"
    program.write_text(f'#!/bin/sh\nGODEBUG=fips140=only exec {keys.programs()}/age "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    switch = tmp_path / "fips_enabled"
    switch.write_text("1\n", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(pyrage_filter, "is_installed", lambda: False)
    monkeypatch.setattr(tools, "_FIPS_SWITCH", str(switch))
    with pytest.raises(SealedError, match="FIPS 140-only mode") as caught:
        age.check_recipients(SealingSettings(recipients=(pairs["x25519"].public,)))
    assert "FIPS mode" in caught.value.hint
    data = keys.age_encrypt(b"data", pairs["x25519"].public)
    with pytest.raises(SealedError) as caught:
        opened(data, pairs["x25519"])
    assert "FIPS mode" in caught.value.hint


# ---- Memory


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": collection.ROOT}


DRIVER = """
import os, sys
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import age, pyrage_filter
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings
tool, public, secret, megabytes, path = sys.argv[1:]
if tool != "pyrage":
    pyrage_filter.is_installed = lambda: False
class Sink:
    def __enter__(self): return self
    def __exit__(self, *exc): self.file.close()
    def restart(self, name): self.file = open(name, "wb")
    def write(self, data): self.file.write(data)
    def sync(self): pass
piece, count = os.urandom(1 << 17), int(megabytes) * 8
with age.SealingWriter(Sink(), SealingSettings(recipients=(public,))) as writer:
    writer.restart(path)
    for _number in range(count):
        writer.write(piece)
    writer.finish()
with open(path, "rb") as file:
    size = sum(map(len, age.unsealed(iter(lambda: file.read(1 << 17), b""), secret)))
assert size == count << 17
print(writer.tool.name, next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")))
"""


def test_memory_does_not_grow_with_the_archive(tool: str, pairs: dict[str, Key], tmp_path: Path) -> None:
    def peak(megabytes: int) -> int:
        key, path = pairs["x25519"], tmp_path / "sealed"
        command = [modules.interpreter(), "-c", DRIVER, tool, key.public, str(key.path), str(megabytes), str(path)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        used, kilobytes = done.stdout.split()
        assert used == tool
        return int(kilobytes)

    small, large = peak(16), peak(192)
    assert large < small + 8 * 1024
    assert large < 64 * 1024


# ---- A process that is killed


ENDLESS = """
import sys
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import age, pyrage_filter
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings
pyrage_filter.is_installed = lambda: False
class Sink:
    def __enter__(self): return self
    def __exit__(self, *exc): pass
    def restart(self, name): pass
    def write(self, data): print("written", flush=True)
with age.SealingWriter(Sink(), SealingSettings(recipients=(sys.argv[1],))) as writer:
    writer.restart("x")
    while True:
        writer.write(bytes(1 << 16))
"""


def test_the_program_ends_with_a_process_that_is_killed(only_age: None, pairs: dict[str, Key]) -> None:
    command = [modules.interpreter(), "-c", ENDLESS, pairs["x25519"].public]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        process.kill()
    assert len(started) == 1
    wait_until(lambda: not Path(f"/proc/{started[0]}").exists(), "age goes on without anybody to seal for", 20)
