# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a store or an archive lies, as users write it: a path, or a URL of a bucket (pure)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from .._errors import OptionError, printable

FILE, S3, GCS, AZURE = "file", "s3", "gs", "az"
SCHEMES = (FILE, S3, GCS, AZURE)

_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://(.*)$", re.DOTALL)
_BUCKET = re.compile(r"^[A-Za-z0-9$][A-Za-z0-9._-]{0,221}$", re.ASCII)
_KEY_LIMIT = 1024
"""Bytes of an object's name, in S3 and Google Cloud Storage; Azure takes as many characters."""


class Location(NamedTuple):
    """A place. ``bucket`` is empty for a local one, whose ``path`` is one of the file system.

    In a bucket ``path`` is the object's name, or the prefix of a store: without a slash in front. A store's ends with a
    slash, or is empty.
    """

    scheme: str
    bucket: str
    path: str

    @property
    def is_local(self) -> bool:
        """Whether it is on this host's file system."""
        return self.scheme == FILE

    @property
    def is_store(self) -> bool:
        """Whether it is written as a place for several archives: with a slash at its end, or a whole bucket."""
        return self.path.endswith("/") or (not self.is_local and not self.path)

    def __str__(self) -> str:
        return self.path if self.is_local else f"{self.scheme}://{self.bucket}/{self.path}"

    def as_store(self) -> Location:
        """Return the same place with a slash at its end."""
        if self.is_store:
            return self
        return self._replace(path=f"{self.path or '.'}/")

    def split(self) -> tuple[Location, str]:
        """Return the store that an archive lies in, and its name there."""
        directory, slash, name = self.path.rpartition("/")
        return self._replace(path=directory + slash or ("./" if self.is_local else "")), name

    def child(self, name: str) -> Location:
        """Return the place of a name in this store.

        :raises ValueError: the name would lead elsewhere.
        """
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            raise ValueError("not the name of something in a store")
        return self._replace(path=self.as_store().path + name)


def is_url(text: str) -> bool:
    """Whether a text is written as a URL. A path never is: it has no ``://`` after a first word."""
    return _URL.match(text) is not None


def parse_location(text: str, option: str) -> Location:
    """Return the place that an option names.

    :raises OptionError: it is a URL that can't be used; what the message shows of it holds no secret.
    """
    match = _URL.match(text)
    if match is None:
        return Location(FILE, "", text)
    scheme, rest = match.group(1).lower(), match.group(2)
    if scheme not in SCHEMES:
        raise _unusable(option, f"{printable(scheme)}:// is not a kind of store", "Use s3://, gs://, az:// or a path.")
    if scheme == FILE:
        if not rest.startswith("/"):
            raise _unusable(option, "file:// takes an absolute path", "Write file:///var/backups/, or the path alone.")
        return Location(FILE, "", unquote(rest))
    if "?" in rest or "#" in rest:
        raise _unusable(option, "a store's URL has neither a query nor a fragment", "Set the option store instead.")
    bucket, _slash, path = rest.partition("/")
    if "@" in bucket:
        raise _unusable(option, "credentials don't belong in a URL", "Set the option store instead.")
    if not _BUCKET.match(bucket):
        raise _unusable(option, f"{scheme}:// is not followed by a bucket", f"Write {scheme}://bucket/prefix/.")
    _require_key(path, option)
    return Location(scheme, bucket, path)


def _require_key(path: str, option: str) -> None:
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise _unusable(option, "the URL is not UTF-8", "Correct it.") from None
    if path and not path.isprintable():
        raise _unusable(option, "the URL holds control characters", "Correct it.")
    if size > _KEY_LIMIT // 2:
        raise _unusable(option, f"the URL's path has more than {_KEY_LIMIT // 2} bytes", "Use a shorter prefix.")
    if any(part in ("", ".", "..") for part in path.removesuffix("/").split("/")) and path:
        raise _unusable(option, "a part of the URL's path is empty, . or ..", "Write s3://bucket/prefix/.")


def _unusable(option: str, reason: str, hint: str) -> OptionError:
    return OptionError(f"{option}: {reason}", hint=hint)
