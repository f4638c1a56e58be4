# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of both versions in servers of both."""

from __future__ import annotations

import pytest

from lab import binaries

from .conftest import Rehearse, Sample, SampleOf


@pytest.mark.every_version
def test_in_the_same_version(sample: Sample, rehearse: Rehearse) -> None:
    result = rehearse.ok(sample.path, sample.version)

    assert (result["verdict"], result["passed"]) == ("proven", True)


def test_old_in_new(sample_of: SampleOf, rehearse: Rehearse) -> None:
    result = rehearse.ok(sample_of(binaries.OLD).path, binaries.NEW)
    assert (result["verdict"], result["passed"]) == ("proven", True)
