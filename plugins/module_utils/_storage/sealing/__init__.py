# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives that only their keys open, and manifests that only their signers can have written.

An archive is encrypted as it streams by, in age's format, by ``pyrage`` where it is installed, else by the program
``age`` or ``rage``. A manifest is signed by ``ssh-keygen -Y``. There is no cryptography in here.

Promises: no plain byte reaches a disk; no key, no recipient and no passphrase is on a command line, in an error or in
a log; no program ever asks a question or waits for ever; memory doesn't grow with the archive. What ``unsealed`` gives
is authentic piece by piece, and whole only once it has ended without an error.
May import: ``_system``, and the errors.
"""

from __future__ import annotations
