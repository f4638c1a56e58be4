# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in the laboratory."""

from __future__ import annotations


class LabError(Exception):
    """The laboratory could not do what it was asked; the text says why."""


class PortTaken(LabError):
    """Somebody took a port between its choice and its use: try again with new ones."""
