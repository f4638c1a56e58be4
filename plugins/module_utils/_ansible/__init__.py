# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that knows AnsibleModule: options and their environment variables, ownership of files, how a module ends.

Promises: what a module prints holds no secret and no character that a terminal obeys. May import: all folders.
"""

from __future__ import annotations
