# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests about small objects, of which there may be ten thousand: the short way past the SDK (pure).

For each request the SDK resolves endpoints, calls its hooks and parses the answer. That takes several times as long as
signing and sending it. So the first request about an object goes the SDK's way, and shows where the bucket is and for
which region requests are signed. Later ones are signed by the SDK's signer and sent through its connections, and
nothing else of it. Whatever answer is not the plain one goes the SDK's way again, so that errors mean the same on both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

_AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=[^,\s]*/\d{8}/([^/,\s]+)/s3/aws4_request,", re.ASCII)
_METADATA = "x-amz-meta-"


class Way(NamedTuple):
    """Where objects of a bucket are. ``base``: the URL without the key. ``agent``: how the SDK names itself."""

    base: str
    region: str
    agent: str

    def url_of(self, key: str) -> str:
        """Return the URL of an object."""
        return self.base + _quoted(key)


class Answer(NamedTuple):
    """The answer to a request. ``headers``: names in lower case. ``is_whole``: the body is not cut at a limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool


def way_of(key: str, url: str, headers: Mapping[str, Any]) -> Way | None:
    """Return the way to a bucket's objects, from a request that the SDK signed; None where it is a special one.

    :param headers: of the request. An object of a directory bucket, an access point or an outpost, and one that is not
        signed, are left to the SDK.
    """
    signed = _AUTHORIZATION.match(_text(headers.get("Authorization")))
    ending = _quoted(key)
    if signed is None or not url.endswith("/" + ending) or "?" in url:
        return None
    return Way(url[: -len(ending)], signed.group(1), _text(headers.get("User-Agent")))


def as_sdk(answer: Answer) -> dict[str, Any]:
    """Return what the SDK would say of an object, as far as its check needs that."""
    told = {name[len(_METADATA) :]: value for name, value in answer.headers.items() if name.startswith(_METADATA)}
    return {"Metadata": told, "ChecksumSHA256": answer.headers.get("x-amz-checksum-sha256")}


def is_whole_object(answer: Answer) -> bool:
    """Whether an answer brings an object to its end, and as many bytes as it says."""
    length = answer.headers.get("content-length")
    return answer.status == 200 and answer.is_whole and length == str(len(answer.body))


def is_removal(answer: Answer) -> bool:
    """Whether an object is gone, and not only hidden by a marker."""
    return answer.status in (200, 204) and answer.headers.get("x-amz-delete-marker", "").lower() != "true"


def _quoted(key: str) -> str:
    return quote(key, safe="/-._~")


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
