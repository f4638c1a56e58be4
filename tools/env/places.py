# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are kept: in a cache outside the tree, so that a checkout holds nothing but its files.

Runs on Python 3.9 too, because the unit tests import it there.
"""

from __future__ import annotations

import hashlib
import os
import pwd
from pathlib import Path

NAMESPACE = "disaster_recovery"
NAME = "consul"
CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = CHECKOUT / "tools" / "requirements"


def cache() -> Path:
    """Return the directory that all checkouts of this project share."""
    named = os.environ.get("XDG_CACHE_HOME") or ""
    if os.path.isabs(named):
        return Path(named, f"{NAMESPACE}.{NAME}")
    home = os.environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
    return Path(home, ".cache", f"{NAMESPACE}.{NAME}")


def checkout_cache() -> Path:
    """Return the directory for what is made from this checkout alone."""
    digest = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:8]
    return cache() / "checkouts" / f"{CHECKOUT.name}-{digest}"


def collection_in(root: Path) -> Path:
    """Return the place that Ansible wants the collection at, below a directory of collections."""
    return root / "ansible_collections" / NAMESPACE / NAME


def linked_tree() -> Path:
    """Return a directory in which ``ansible_collections.disaster_recovery.consul`` is this checkout itself."""
    root = checkout_cache() / "linked"
    link = collection_in(root)
    link.parent.mkdir(parents=True, exist_ok=True)
    if not (link.is_symlink() and os.readlink(link) == str(CHECKOUT)):
        # Renaming over the old link: tests that run at the same time see either link, never none.
        fresh = link.with_name(f"{NAME}.{os.getpid()}")
        fresh.symlink_to(CHECKOUT)
        fresh.replace(link)
    return root
