# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To whom an archive is encrypted: age recipients and ssh public keys, as users write them (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..._errors import OptionError

X25519, SSH, OTHER = "x25519", "ssh", "other"
"""Kinds of keys. OTHER: post-quantum ones and those of plugins, which only the programs know."""

# Bech32 (BIP 173): a prefix, the digit 1, and data without that digit.
_X25519 = re.compile(r"age1[ac-hj-np-z02-9]{58}", re.ASCII)
_OTHER = re.compile(r"age1[0-9a-z]+1[ac-hj-np-z02-9]{6,}", re.ASCII)
_SSH = re.compile(r"ssh-(ed25519|rsa) +[A-Za-z0-9+/=]+( .*)?", re.ASCII)
_SECRET = ("AGE-SECRET-KEY-", "AGE-PLUGIN-", "PRIVATE KEY-----")


def recipient_from(text: str, source: str) -> str:
    """Return a recipient without blanks around it.

    :param source: where it was written, for messages: they never show the text itself.
    :raises OptionError: it is not a recipient of a kind that age has.
    """
    recipient = text.strip()
    if is_secret(recipient):
        raise OptionError(
            f"{source} is a secret key, and archives are encrypted to public ones",
            hint="Write what age-keygen -y prints for it. What is in an option may be in a log now: replace the key.",
        )
    is_known = any(kind.fullmatch(recipient) for kind in (_X25519, _OTHER, _SSH))
    if not is_known or not recipient.isprintable():
        raise OptionError(
            f"{source} is not a recipient that age knows",
            hint="Write a public key: age1… (age-keygen prints it), or ssh-ed25519 … or ssh-rsa … from a .pub file.",
        )
    return recipient


def is_secret(text: str) -> bool:
    """Whether somebody wrote a secret key where a recipient belongs."""
    return any(mark in text.upper() for mark in _SECRET)


def recipients_in(text: bytes, source: str) -> list[str]:
    """Return the recipients of a file that has one on each line, with empty lines and comments (``#``).

    :raises OptionError: a line is not a recipient, or there is none at all.
    """
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise OptionError(f"{source} is not a text file", hint="Write one recipient on each line.") from None
    found = [
        recipient_from(line, f"line {number} of {source}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise OptionError(
            f"{source} names no recipient", hint="An archive without a recipient could never be opened. Write one."
        )
    return found


def kind_of(recipient: str) -> str:
    """Return X25519, SSH or OTHER."""
    if recipient.startswith("ssh-"):
        return SSH
    return X25519 if _X25519.fullmatch(recipient) else OTHER


def unique(recipients: Iterable[str]) -> tuple[str, ...]:
    """Return recipients without repetitions; comments of ssh keys don't make a difference."""
    return tuple({" ".join(recipient.split()[:2]): recipient for recipient in recipients}.values())


def remarks_on(recipients: Iterable[str]) -> list[str]:
    """Return in words what is risky about a choice of recipients."""
    if len(unique(recipients)) > 1:
        return []
    return [
        "Archives are encrypted to one recipient only. If its key is lost, no archive can be opened again. "
        "Add the public key of an escrow key that is kept elsewhere."
    ]
