# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data that passes through pyrage: a stream in, a stream out, and no thread that stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import pyrage_filter
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.programs import FilterFailed
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.pyrage_filter import (
    PyrageFilter,
)

pyrage = pytest.importorskip("pyrage", reason="there is no pyrage for this Python")
CHUNK = 1 << 16
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 7]


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def passed(work: pyrage_filter.Work, data: bytes, step: int = 10_007) -> bytes:
    """Return what comes out of a filter."""
    with PyrageFilter(work) as through:
        pieces = [piece for start in range(0, len(data), step) for piece in through.feed(data[start : start + step])]
        return b"".join([*pieces, *through.finish()])


def content(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(size: int) -> None:
    identity = pyrage.x25519.Identity.generate()
    sealed = passed(pyrage_filter.encryption([str(identity.to_public())]), content(size))
    assert pyrage.decrypt(sealed, [identity]) == content(size)
    assert passed(pyrage_filter.decryption(str(identity).encode()), sealed) == content(size)


def test_every_flipped_bit_and_every_cut_is_refused() -> None:
    identity = pyrage.x25519.Identity.generate()
    sealed = passed(pyrage_filter.encryption([str(identity.to_public())]), b"secret")
    work = pyrage_filter.decryption(str(identity).encode())
    for position in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[position] ^= 1 << position % 8
        with pytest.raises(FilterFailed):
            passed(work, bytes(flipped))
        with pytest.raises(FilterFailed):
            passed(work, sealed[:position])
    with pytest.raises(FilterFailed):
        passed(work, sealed + b"x")


def test_several_keys_of_a_file_are_tried() -> None:
    identities = [pyrage.x25519.Identity.generate() for _number in range(3)]
    sealed = passed(pyrage_filter.encryption([str(identities[2].to_public())]), b"data")
    file = "# three keys\n" + "\n".join(map(str, identities))
    assert passed(pyrage_filter.decryption(file.encode()), sealed) == b"data"


def test_another_key() -> None:
    identity, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    sealed = passed(pyrage_filter.encryption([str(identity.to_public())]), b"data")
    with pytest.raises(FilterFailed, match="No matching keys"):
        passed(pyrage_filter.decryption(str(other).encode()), sealed)


@pytest.mark.parametrize("recipient", ["age1" + "q" * 58, "ssh-ed25519 AAAA", "ssh-rsa AAAA"])
def test_a_damaged_recipient(recipient: str) -> None:
    with pytest.raises(FilterFailed):
        pyrage_filter.encryption([recipient])


@pytest.mark.parametrize(
    "identity",
    [b"AGE-SECRET-KEY-1QQ", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n"],
)
def test_a_damaged_identity(identity: bytes) -> None:
    with pytest.raises(FilterFailed) as caught:
        pyrage_filter.decryption(identity)
    assert identity.decode() not in caught.value.words


def test_memory_of_what_waits_is_bounded() -> None:
    identity = pyrage.x25519.Identity.generate()
    with PyrageFilter(pyrage_filter.encryption([str(identity.to_public())])) as through:
        most = max(sum(map(len, through.feed(content(1 << 18)))) for _number in range(200))
    # What waits on the way in (4 MiB and a piece) may be done when it is looked at the next time.
    assert most <= 6 << 20


def test_one_that_is_left_half_way_ends() -> None:
    identity = pyrage.x25519.Identity.generate()

    def break_off() -> None:
        with PyrageFilter(pyrage_filter.encryption([str(identity.to_public())])) as through:
            through.feed(content(1 << 20))
            raise KeyError

    with pytest.raises(KeyError):
        break_off()


def test_what_the_work_raises_is_raised_here() -> None:
    def work(incoming: object, outgoing: object) -> None:
        raise OSError("decryption error")

    def feed(through: PyrageFilter) -> None:
        for _number in range(100):
            through.feed(content(1 << 20))

    with PyrageFilter(work) as through, pytest.raises(FilterFailed, match="decryption error"):
        feed(through)


def test_a_panic_is_caught() -> None:
    class PanicException(BaseException):
        pass

    def work(incoming: object, outgoing: object) -> None:
        raise PanicException("index out of bounds")

    with PyrageFilter(work) as through, pytest.raises(FilterFailed, match="index out of bounds"):
        through.finish()


def test_what_could_not_be_kept_is_an_error_even_if_pyrage_says_nothing() -> None:
    def work(incoming: object, outgoing: pyrage_filter._Outgoing) -> None:
        outgoing.is_cut = True

    with PyrageFilter(work) as through, pytest.raises(FilterFailed, match="out of memory") as caught:
        through.finish()
    assert caught.value.is_dead


def test_a_read_gives_what_there_is() -> None:
    incoming = pyrage_filter._Incoming(iter([b"abcdef", b"gh"]))
    assert [incoming.read(4), incoming.read(4), incoming.read(-1), incoming.read(1)] == [b"abcd", b"ef", b"gh", b""]
