# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to keep objects: a directory, S3, Google Cloud Storage, Azure Blob Storage.

Promises: each does what ``protocol`` says, with the official SDK of its kind, imported when a store of that kind is
opened; none knows what an archive is. May import: what ``_storage`` may.
"""

from __future__ import annotations
