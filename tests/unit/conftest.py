# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the collection importable under its full name, straight from this checkout."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

import pytest

from env import places

sys.path.insert(0, str(places.linked_tree()))

with contextlib.suppress(ImportError):  # not among what the oldest Python is tested with
    from hypothesis import settings

    # How long an example takes says more of the machine than of the code.
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def validator() -> Any:
    """Holds reports of rehearsals against their schema, which is one itself."""
    jsonschema = pytest.importorskip("jsonschema", reason="not among what the oldest Python is tested with")
    path = places.CHECKOUT / "roles" / "rehearsal" / "files" / "report.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
