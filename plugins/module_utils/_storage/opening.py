# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend a place belongs to."""

from __future__ import annotations

from .location import AZURE, GCS, S3, Location
from .protocol import Store
from .settings import StoreSettings


def open_store(location: Location, settings: StoreSettings) -> Store:
    """Return the store at a place. Nothing is asked of it yet.

    :param location: written with or without the slash at its end.
    :raises MissingLibraryError: this host lacks the SDK. :raises OptionError: the settings don't fit.
    """
    location = location.as_store()
    if location.scheme == S3:
        from .backends.s3 import S3Store

        return S3Store(location, settings)
    if location.scheme == GCS:
        from .backends.gcs import GcsStore

        return GcsStore(location, settings)
    if location.scheme == AZURE:
        from .backends.azure import AzureStore

        return AzureStore(location, settings)
    from .backends.local import LocalStore

    return LocalStore(location, settings)
