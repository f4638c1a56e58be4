#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_rehearse
short_description: Restore an archive of Consul's state into a throwaway server and measure it
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - A backup is proven only once it has been restored. This module verifies an archive, starts a real Consul server on
    the host it runs on, restores the archive into it, proves that the server's content is the archive's, looks for what
    you say must be there, and reports how long each step took. No cluster is touched.
  - With another Consul as O(consul_binary), such as the one you will upgrade to, it answers whether that version will
    load your state, and what it makes of it.
  - The server keeps to itself. Where the kernel allows it, it has a network namespace of its own and can dial nobody;
    elsewhere it listens on two free ports of loopback. RV(isolation) says which. Its API is a unix socket that only the
    user who runs the module can reach. It joins nobody, runs no checks, and Connect and peering are off, so that the
    credentials in the archive are not used.
  - Of the environment the server gets E(PATH), E(LANG), and the licence that Consul Enterprise needs to start,
    E(CONSUL_LICENSE) or E(CONSUL_LICENSE_PATH). No other variable reaches it.
  - However it ends, no process, socket or file is left behind. What a run leaves that is killed outright (SIGKILL) is
    cleared by the next one of the same user in the same O(work_dir).
extends_documentation_fragment:
  - disaster_recovery.consul.attributes
requirements:
  - msgpack >= 1.0
  - requests >= 2.25
  - Consul, of the version in which the archive shall be rehearsed
attributes:
  check_mode:
    support: full
    details: The archive is verified and the binary asked for its version. Nothing is started.
  diff_mode:
    support: N/A
    details: This module does not modify state.
  idempotent:
    support: full
  platform:
    platforms: linux
options:
  src:
    description: The archive, on the host the module runs on.
    type: path
    required: true
  consul_binary:
    description: The Consul to rehearse with, as a path or as a name to be found on E(PATH).
    type: str
    default: consul
  assertions:
    description:
      - What must be there in the restored server. Each has exactly one of O(assertions[].kv_key),
        O(assertions[].kv_prefix), O(assertions[].service), O(assertions[].policy), O(assertions[].token_accessor) and
        O(assertions[].config_entry).
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: "What to call it in the result. By default, what is looked for.", type: str}
      kv_key: {description: A key., type: str}
      kv_prefix: {description: Beginning of keys., type: str}
      min_count: {description: "Keys that must begin with O(assertions[].kv_prefix) at least; 1 by default.", type: int}
      service: {description: A service of which there must be an instance in the catalog., type: str}
      policy: {description: Name of an ACL policy., type: str}
      token_accessor: {description: Accessor of an ACL token. It is no secret., type: str}
      config_entry: {description: "A config entry as C(kind/name), such as V(proxy-defaults/global).", type: str}
  max_rto:
    description: Seconds that it may take from nothing to a proven, running server, as in RV(rto.total).
    type: float
  max_age:
    description: Seconds that the archive may be old; see RV(age).
    type: int
  attempt_anyway:
    description:
      - Start a server even though the archive holds records that it can't read, and see it die.
      - The death of the throwaway server is then what was asked for. The module does not fail for it; RV(passed) is
        false, RV(verdict) is V(died) and RV(findings) has the server's last words.
    type: bool
    default: false
  keep_on_failure:
    description:
      - Keep the server's directory, with its log and data, when RV(passed) is false. It holds all the secrets of the
        archive, and only its owner can read it. The server itself is ended.
    type: bool
    default: false
  timeout:
    description: Seconds that all of it may take.
    type: int
    default: 300
  work_dir:
    description:
      - Directory in which the server's own one is made. It needs room for about four times what the state takes.
      - By default, the system's directory for temporary files.
    type: path
seealso:
  - module: disaster_recovery.consul.snapshot_info
  - module: disaster_recovery.consul.snapshot_restore
"""

EXAMPLES = r"""
- name: Prove that an archive can be restored
  disaster_recovery.consul.snapshot_rehearse:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap

- name: Rehearse it with what must be in it, in how long it may take, and how old it may be
  disaster_recovery.consul.snapshot_rehearse:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    assertions:
      - name: the shop's configuration
        kv_prefix: shop/config/
        min_count: 100
      - kv_key: shop/feature-flags
      - service: payments
      - policy: operators
      - token_accessor: 2f6a8c1e-7b7d-4a52-9a53-2d0f5b1a7c11
      - config_entry: proxy-defaults/global
    max_rto: 60
    max_age: 86400

- name: See whether the next version will load the state
  disaster_recovery.consul.snapshot_rehearse:
    src: /var/backups/consul/before-the-upgrade.snap
    consul_binary: /opt/consul-1.22.7/consul
  register: upgrade  # upgrade.changes says what it makes of it
"""

RETURN = r"""
src:
  description: The archive.
  returned: always
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap
passed:
  description: Whether everything holds that was asked for. In check mode, as far as that was looked at.
  returned: always
  type: bool
  sample: true
verdict:
  description:
    - V(proven) when a server was restored and holds the archive's content, V(not_proven) when it runs and holds
      something else, V(refused) when the archive does not verify or holds what would kill the server, V(died) when the
      server ended by itself, V(incomplete) when it did not get that far, for lack of time, space or a Consul program.
    - It is null in check mode, when nothing speaks against a rehearsal.
  returned: always
  type: str
  choices: [proven, not_proven, refused, died, incomplete]
  sample: proven
assertions:
  description: How each of O(assertions) ended.
  returned: always
  type: list
  elements: dict
  contains:
    name: {description: What it is called., type: str, returned: always}
    passed: {description: Whether it holds., type: bool, returned: always}
    detail: {description: What was seen., type: str, returned: always}
  sample: [{"detail": "1043 keys below shop/config/", "name": "the shop's configuration", "passed": true}]
targets:
  description: How each of O(max_rto) and O(max_age) ended that was set.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What was limited.
      type: str
      returned: always
      choices: [rto, age]
    limit: {description: "The limit, in seconds.", type: float, returned: always}
    actual: {description: "What was measured, in seconds; null where nothing was.", type: float, returned: always}
    met: {description: Whether the limit was kept., type: bool, returned: always}
  sample: [{"actual": 4.1, "limit": 60.0, "met": true, "name": "rto"}]
rto:
  description: Seconds by phase, of those that were finished.
  returned: always
  type: dict
  contains:
    start: {description: From nothing to a server that leads., type: float, returned: when it was finished}
    restore: {description: Until the server had taken the archive., type: float, returned: when it was finished}
    ready: {description: Until it led again and took a token., type: float, returned: when it was finished}
    proof: {description: Until its content was proven., type: float, returned: when it was finished}
    total: {description: All four together., type: float, returned: when the archive was proven}
  sample: {"proof": 0.2, "ready": 0.1, "restore": 0.4, "start": 2.1, "total": 2.8}
memory_bytes:
  description: The most memory that the server held at once; null when there was none, or it was gone too soon.
  returned: always
  type: int
  sample: 118489088
isolation:
  description: What kept the server to itself; null when none was started.
  returned: always
  type: str
  choices: [network_namespace, loopback]
  sample: network_namespace
sha256:
  description: Checksum of the archive.
  returned: when the archive verifies
  type: str
  sample: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
size:
  description: Size of the archive in bytes.
  returned: when the archive verifies
  type: int
  sample: 81930112
taken_at:
  description: When a server took it, in UTC; null when the archive does not say.
  returned: when the archive verifies
  type: str
  sample: "2026-11-23T02:15:00Z"
age:
  description:
    - Seconds since then, or since its manifest says that the content was last confirmed, by the clock of the host the
      module runs on. It is null when neither is known, or both are dated more than a day ahead.
  returned: when the archive verifies
  type: int
  sample: 3600
datacenter:
  description: Datacenter that the archive is of; null when the archive does not say.
  returned: when the archive verifies
  type: str
  sample: dc1
cluster_id:
  description: Id of the cluster that the archive is of; null when the archive does not say.
  returned: when the archive verifies
  type: str
  sample: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
archive_version:
  description: Consul version that the archive is of; null when the archive does not say.
  returned: when the archive verifies
  type: str
  sample: 1.22.7
records:
  description: Number of records and their bytes, by type.
  returned: when the archive verifies
  type: dict
  sample: {"ACLToken": {"count": 12, "size": 5321}, "KVS": {"count": 1043, "size": 1220411}}
fingerprint:
  description: Digest of the archive's durable content.
  returned: when the archive verifies
  type: str
  sample: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
server_version:
  description: Version of the Consul it was rehearsed with; null when there was none.
  returned: always
  type: str
  sample: 1.22.7
proof:
  description:
    - Comparison of the server's durable content with the archive's, with C(equal), C(differs), C(types) and
      C(across_versions) as M(disaster_recovery.consul.snapshot_restore) returns them.
    - C(lost) names fields that the server's version does not know, where the content differs because of them.
  returned: when the archive was restored
  type: dict
  sample: {"across_versions": false, "differs": [], "equal": true, "types": {}}
changes:
  description:
    - What the server made of the archive, by type, where it is of another version. Types that it left as they are, are
      left out.
    - Each has the numbers of records that it added, removed and changed, with the names of the first 20 of each, and
      C(equal), which says whether it all means the same as before.
  returned: when the archive was restored into another version
  type: dict
  sample:
    ACLPolicy: {"added": 1, "changed": 1, "equal": true, "names": {"added": ["builtin/global-read-only"]}, "removed": 0}
findings:
  description:
    - What won't restore well, as M(disaster_recovery.consul.snapshot_info) finds it, judged for the version of the
      throwaway server.
    - When the server died there is V(server_died) as well, with the server's last words.
  returned: when the archive verifies
  type: list
  elements: dict
  contains:
    name: {description: "A word for it, for a playbook to decide on.", type: str, returned: always}
    severity: {description: "How much it matters there: critical, warning or info.", type: str, returned: always}
    effect:
      description: V(seen) there, V(untested) when nobody tried it, V(none) if it does no harm, null for no version.
      type: str
      returned: always
      choices: [seen, untested, none]
    sentence: {description: What it means., type: str, returned: always}
    count: {description: "How many records, or names, it is about.", type: int, returned: always}
    names: {description: The names of the first 20 of them., type: list, elements: str, returned: always}
    last_words:
      description: Lines of the server's log that say why it died, with everything masked that looks like a secret.
      type: list
      elements: str
      returned: when the name is V(server_died)
  sample: []
cleared:
  description: Directories of killed runs that this one cleared, with the servers in them.
  returned: always
  type: list
  elements: str
  sample: []
kept_dir:
  description: Where the server's directory is kept, after O(keep_on_failure); null when it is not.
  returned: always
  type: str
  sample: /tmp/kept-consul-rehearsal-h2k4d7qa
failure:
  description: What went wrong, for a playbook to decide on.
  returned: failure
  type: dict
  contains:
    kind:
      description: A word for the kind of fault; V(rehearsal) when not everything holds that was asked for.
      type: str
      returned: always
    hint: {description: What to do about it., type: str, returned: always}
    cause:
      description: What stood in the way, with C(kind), C(hint) and the rest of what is known of it.
      type: dict
      returned: when something did
    library: {description: Python library that this host lacks., type: str, returned: when one is missing}
    path: {description: File or directory that is at fault., type: str, returned: when one could not be cleared away}
    place: {description: Place in the code that is at fault., type: str, returned: when the collection has a defect}
  sample: {"hint": "Take a new archive, and see why none was taken in time.", "kind": "rehearsal"}
"""

from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._errors import OptionError, RehearsalError
from ..module_utils._operations.rehearse.assertions import KINDS, assertion_from
from ..module_utils._operations.rehearse.result import Progress
from ..module_utils._operations.rehearse.run import RehearseRequest, rehearse
from ..module_utils._operations.rehearse.verdict import DIED, advice, passed, sentence

OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path", "required": True},
    "consul_binary": {"type": "str", "default": "consul"},
    "assertions": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str"},
            "kv_key": {"type": "str", "no_log": False},
            "kv_prefix": {"type": "str", "no_log": False},
            "min_count": {"type": "int"},
            "service": {"type": "str"},
            "policy": {"type": "str"},
            "token_accessor": {"type": "str", "no_log": False},
            "config_entry": {"type": "str"},
        },
        "mutually_exclusive": [KINDS],
        "required_one_of": [KINDS],
        "required_by": {"min_count": "kv_prefix"},
    },
    "max_rto": {"type": "float"},
    "max_age": {"type": "int"},
    "attempt_anyway": {"type": "bool", "default": False},
    "keep_on_failure": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 300},
    "work_dir": {"type": "path"},
}


def request_of(params: dict[str, Any]) -> RehearseRequest:
    for option, least in (("timeout", 1), ("max_rto", 0), ("max_age", 0)):
        if params[option] is not None and params[option] < least:
            raise OptionError(f"{option} must be {least} or more", hint="Correct the option.")
    try:
        assertions = tuple(assertion_from(told) for told in params["assertions"])
    except ValueError as error:
        raise OptionError(f"assertions: {error}", hint="Correct the option.") from None
    return RehearseRequest(**{**params, "assertions": assertions})


def rehearse_archive(run: Run) -> dict[str, Any]:
    progress = Progress()
    run.so_far = lambda: {"src": run.params["src"], **progress.as_result()}
    request = request_of(run.params)
    with run.journal.phase("rehearsal"):
        ending = rehearse(request, progress, check=run.check)
    seen_to_its_end = ending.verdict == DIED and request.attempt_anyway
    if not passed(ending) and not seen_to_its_end:
        cause = {"cause": progress.cause.as_failure()} if progress.cause else {}
        raise RehearsalError(sentence(ending), hint=advice(ending), **cause)
    return run.so_far()


def main() -> None:
    run_module({"argument_spec": OPTIONS}, rehearse_archive)


if __name__ == "__main__":
    main()
