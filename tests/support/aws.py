# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small ``aws s3api`` for tests that carry out documented commands: the same options, by the same library.

Endpoint, region and keys come from the environment, as AWS's own program reads them. An option that boto3 does not know
for an operation is an error, and so is a value of the wrong shape.
"""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

PROGRAM = """#!{python}
import sys
sys.path[:0] = {path!r}
from support import aws
sys.exit(aws.main(sys.argv[1:]))
"""


def install(directory: Path) -> Path:
    """Put the program into a directory that is on a PATH."""
    path = directory / "aws"
    path.write_text(PROGRAM.format(python=sys.executable, path=[entry for entry in sys.path if entry]))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def main(arguments: list[str]) -> int:
    """Run one command, and print what the service answers, as JSON."""
    import boto3
    from botocore import xform_name
    from botocore.config import Config

    service, operation, *rest = arguments
    if service != "s3api":
        raise SystemExit(f"not a service that is known here: {service}")
    client = boto3.session.Session().client("s3", config=Config(s3={"addressing_style": "path"}))
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    options = {f"--{xform_name(name).replace('_', '-')}": name for name in model.input_shape.members}
    told: dict[str, Any] = {}
    while rest and rest[0].startswith("--"):
        name = options[rest.pop(0)]
        shape = model.input_shape.members[name]
        if shape.type_name == "boolean":
            told[name] = True
            continue
        text = rest.pop(0)
        if shape.type_name == "blob":
            told[name] = Path(text).read_bytes()
            continue
        if text.startswith("file://"):
            text = Path(text[len("file://") :]).read_text(encoding="utf-8")
        told[name] = json.loads(text) if shape.type_name in ("structure", "list") else text
    answer = getattr(client, method)(**told)
    body = answer.pop("Body", None)
    if body is not None:
        (path,) = rest
        Path(path).write_bytes(body.read())
    elif rest:
        raise SystemExit(f"not understood: {rest}")
    answer.pop("ResponseMetadata")
    sys.stdout.write(json.dumps(answer, default=str, indent=2) + "\n")
    return 0
