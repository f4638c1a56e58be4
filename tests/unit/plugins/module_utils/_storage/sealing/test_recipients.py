# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients as users write them: what is refused shows neither a key nor a secret."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.recipients import (
    OTHER,
    SSH,
    X25519,
    kind_of,
    recipient_from,
    recipients_in,
    remarks_on,
    unique,
)

AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZmkX2vP53V57TBX8fQ5lfWM2Hzrcd"
RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ=="
YUBIKEY = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"
POST_QUANTUM = "age1pq1" + "q" * 1952


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (AGE, X25519),
        (f"  {AGE}\n", X25519),
        (ED25519, SSH),
        (f"{ED25519} someone@somewhere's laptop", SSH),
        (RSA, SSH),
        (YUBIKEY, OTHER),
        (POST_QUANTUM, OTHER),
    ],
)
def test_what_age_knows_is_taken(text: str, kind: str) -> None:
    recipient = recipient_from(text, "encrypt_to, item 1")
    assert recipient == text.strip()
    assert kind_of(recipient) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        AGE[:-1],
        AGE + "q",
        AGE.upper(),
        AGE.replace("q", "b", 1),
        f"{AGE} {AGE}",
        f"{AGE}\n{AGE}",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBP",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t",
        "ssh-ed25519",
        f"{ED25519} a\x1b[2Jcomment",
        f"{ED25519} two\nlines",
        'command="true" ' + ED25519,
        "-i /etc/shadow",
        "/etc/hostname",
        "age1ÄÖ" + AGE[6:],
    ],
)
def test_what_is_no_recipient_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"^encrypt_to, item 3 is not a recipient that age knows$") as caught:
        recipient_from(text, "encrypt_to, item 3")
    assert "age1…" in caught.value.hint
    assert len(text) < 12 or text not in caught.value.as_text()


@pytest.mark.parametrize(
    "secret",
    [
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
        "age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpq4egaex",
        "AGE-SECRET-KEY-PQ-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
        "AGE-PLUGIN-YUBIKEY-1Q8GRYQVZ",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk",
    ],
)
def test_a_secret_key_is_refused_and_never_shown(secret: str) -> None:
    with pytest.raises(OptionError, match="is a secret key") as caught:
        recipient_from(secret, "encrypt_to, item 1")
    assert secret[-8:] not in caught.value.as_text()
    assert "replace the key" in caught.value.hint


def test_a_file_has_comments_and_empty_lines() -> None:
    text = f"# escrow, in the safe\n\n{AGE}\r\n   # and this one\n  {ED25519} me\n".encode()
    assert recipients_in(text, "keys") == [AGE, f"{ED25519} me"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "keys names no recipient"),
        (b"# only a comment\n\n", "keys names no recipient"),
        (f"{AGE}\nnonsense\n".encode(), "line 2 of keys is not a recipient"),
        (b"\n\nAGE-SECRET-KEY-1GFPYYSJZGFPYYSJZ\n", "line 3 of keys is a secret key"),
        (b"\xff\xfe\x00", "keys is not a text file"),
    ],
)
def test_a_file_without_recipients_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        recipients_in(text, "keys")


def test_a_repetition_counts_once() -> None:
    assert unique([AGE, ED25519, AGE]) == (AGE, ED25519)
    assert len(unique([ED25519, f"{ED25519} me@here"])) == 1


def test_one_recipient_alone_is_a_risk() -> None:
    (remark,) = remarks_on([AGE, AGE])
    assert "escrow" in remark
    assert remarks_on([AGE, ED25519]) == []
