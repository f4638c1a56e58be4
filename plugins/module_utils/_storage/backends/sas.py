# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shared access signature of Azure says of itself (pure)."""

from __future__ import annotations

import datetime
from urllib.parse import parse_qs

_FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d")


def expiry_of(token: str | None) -> float | None:
    """Return when a token expires, in seconds since the epoch; None where it does not say that itself."""
    text = parse_qs((token or "").lstrip("?")).get("se", [""])[0]
    for form in _FORMS:
        try:
            moment = datetime.datetime.strptime(text, form)
        except ValueError:
            continue
        return moment.replace(tzinfo=datetime.timezone.utc).timestamp()
    return None
