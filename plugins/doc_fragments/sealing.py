# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """How archives are sealed and opened; the options themselves are in module_utils/_ansible/store_options.py."""

    DOCUMENTATION = r"""
requirements:
  - pyrage, or the C(age) or C(rage) program, only to encrypt or decrypt
  - C(ssh-keygen) of OpenSSH, only to sign (8.1 or later) or to check signatures (8.9 or later)
options: {}
"""

    WRITE = r"""
options:
  encrypt_to:
    description:
      - Encrypt new archives with age to these recipients, C(age1...) or C(ssh-ed25519) and C(ssh-rsa) public keys. The
        name of an encrypted archive ends with C(.snap.age), and C(age -d -i KEY) opens it.
      - Any one of the matching keys opens the archive. A single recipient causes a warning, because an archive is lost
        with its only key. Add a second key that is kept elsewhere.
    type: list
    elements: str
  encrypt_to_file:
    description: File with recipients, one on each line, in addition to O(encrypt_to).
    type: path
  signing_key:
    description:
      - Sign the manifest with this private key of OpenSSH, or with the key of the SSH agent that belongs to this public
        key. The key must have no passphrase, unless the agent holds it. The signature is a file next to the manifest
        whose name ends with C(.manifest.json.sig), and C(ssh-keygen -Y verify) checks it.
    type: path
"""

    READ = r"""
options:
  identity_file:
    description:
      - File with the key that opens encrypted archives, an age identity or a private key of OpenSSH, without a
        passphrase.
    type: path
  allowed_signers:
    description:
      - File with the keys whose signatures are accepted. The manual page of C(ssh-keygen) describes its format in
        section ALLOWED SIGNERS. An archive whose manifest is not signed by one of these keys is not trusted.
    type: path
  revoked_signers:
    description:
      - File with public keys, or a key revocation list of C(ssh-keygen), whose signatures are never accepted.
    type: path
"""
