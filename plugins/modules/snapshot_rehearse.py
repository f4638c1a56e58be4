#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_rehearse
short_description: Restore an archive into a throwaway Consul server, and measure it
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - A backup is proven only once it has been restored. This module verifies an archive, starts a real Consul server on
    the host it runs on, restores the archive into it, proves that the server holds the archive's content, checks your
    assertions, and reports how long each step took. No cluster is touched.
  - With another Consul version as O(consul_binary), such as the one you will upgrade to, it says whether that version
    loads your state, and what it changes.
  - The server is isolated. If the kernel allows it, the server runs in its own network namespace and can't connect to
    anything; otherwise it listens on two free loopback ports. RV(isolation) tells which. Its API is a Unix socket that
    only the user who runs the module can open. It joins no cluster and runs no checks. Connect and peering are off, so
    the credentials in the archive are not used.
  - The server's environment contains only E(PATH), E(LANG) and the licence that Consul Enterprise needs to start,
    E(CONSUL_LICENSE) or E(CONSUL_LICENSE_PATH).
  - The module leaves no process, socket or file behind, however it ends. If it is killed (SIGKILL), the next run of the
    same user with the same O(work_dir) removes what is left.
extends_documentation_fragment:
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.store
  - disaster_recovery.consul.sealing
  - disaster_recovery.consul.sealing.read
requirements:
  - msgpack >= 1.0
  - requests >= 2.25
  - Consul, in the version to rehearse the archive with
attributes:
  check_mode:
    support: full
    details: Verifies the archive and reads the version of the binary. Starts no server.
  diff_mode:
    support: N/A
    details: This module does not modify state.
  idempotent:
    support: full
  platform:
    platforms: linux
options:
  src:
    description: The archive, on the host the module runs on, or its URL in a store.
    type: path
    required: true
  consul_binary:
    description: The Consul program to rehearse with, as a path or as a name on E(PATH).
    type: str
    default: consul
  assertions:
    description:
      - What the restored server must hold. Each has exactly one of O(assertions[].kv_key), O(assertions[].kv_prefix),
        O(assertions[].service), O(assertions[].policy), O(assertions[].token_accessor) and
        O(assertions[].config_entry).
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: "Its name in the result. By default, what is asserted.", type: str}
      kv_key: {description: A key., type: str}
      kv_prefix: {description: Prefix of keys., type: str}
      min_count: {description: "Minimum number of keys with O(assertions[].kv_prefix); 1 by default.", type: int}
      service: {description: A service with at least one instance in the catalog., type: str}
      policy: {description: Name of an ACL policy., type: str}
      token_accessor: {description: Accessor id of an ACL token. It is not a secret., type: str}
      config_entry: {description: "A config entry as C(kind/name), such as V(proxy-defaults/global).", type: str}
  max_rto:
    description: Maximum of RV(rto.total), the seconds from nothing to a proven, running server.
    type: float
  max_age:
    description: Maximum of RV(age), the age of the archive in seconds.
    type: int
  attempt_anyway:
    description:
      - Start the server even if the archive holds records that its version can't read, to see it crash.
      - The module then does not fail because of the crash. RV(passed) is false, RV(verdict) is V(died) and RV(findings)
        contains the server's crash log.
    type: bool
    default: false
  keep_on_failure:
    description:
      - Keep the server's directory, with its log and data, if RV(passed) is false. It contains all secrets of the
        archive, and only its owner can read it. The server is stopped.
    type: bool
    default: false
  timeout:
    description: Seconds that the whole rehearsal may take.
    type: int
    default: 300
  work_dir:
    description:
      - Directory in which the server's directory is created. It needs free space of about four times the size of the
        state, and the size of the archive if that is in a bucket or encrypted. By default, the system's directory for
        temporary files.
    type: path
seealso:
  - module: disaster_recovery.consul.snapshot_info
  - module: disaster_recovery.consul.snapshot_restore
"""

EXAMPLES = r"""
- name: Prove that an archive can be restored
  disaster_recovery.consul.snapshot_rehearse:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap

- name: Rehearse it with assertions, and with limits for its RTO and its age
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

- name: Test whether the next version loads the state
  disaster_recovery.consul.snapshot_rehearse:
    src: /var/backups/consul/before-the-upgrade.snap
    consul_binary: /opt/consul-1.22.7/consul
  register: upgrade  # upgrade.changes lists what it changes
"""

RETURN = r"""
src: {description: The archive., returned: always, type: str, sample: /var/backups/consul/before-the-upgrade.snap}
passed:
  description: Whether the archive was proven and all assertions and limits hold; in check mode, as far as checked.
  returned: always
  type: bool
  sample: true
verdict:
  description:
    - V(proven) if the restored server holds the archive's content, V(not_proven) if it runs and holds something else,
      V(refused) if the archive does not verify or would crash the server, V(died) if the server crashed, V(incomplete)
      if the rehearsal did not get that far, for lack of time, space or a Consul program.
    - It is null in check mode if nothing was found that prevents a rehearsal.
  returned: always
  type: str
  choices: [proven, not_proven, refused, died, incomplete]
  sample: proven
assertions:
  description: The results of O(assertions).
  returned: always
  type: list
  elements: dict
  contains:
    name: {description: Its name., type: str, returned: always}
    passed: {description: Whether it holds., type: bool, returned: always}
    detail: {description: What was found., type: str, returned: always}
  sample: [{"detail": "1043 keys below shop/config/", "name": "the shop's configuration", "passed": true}]
targets:
  description: The results of O(max_rto) and O(max_age), if they are set.
  returned: always
  type: list
  elements: dict
  contains:
    name: {description: What was limited., type: str, returned: always, choices: [rto, age]}
    limit: {description: "The limit, in seconds.", type: float, returned: always}
    actual: {description: "The measured value, in seconds; null if there is none.", type: float, returned: always}
    met: {description: Whether the limit was met., type: bool, returned: always}
  sample: [{"actual": 4.1, "limit": 60.0, "met": true, "name": "rto"}]
rto:
  description: Seconds of each phase of the recovery that was completed.
  returned: always
  type: dict
  contains:
    start: {description: Until a server was the leader., type: float, returned: when it was completed}
    restore: {description: Until it had accepted the archive., type: float, returned: when it was completed}
    ready: {description: Until it was the leader again., type: float, returned: when it was completed}
    proof: {description: Until its content was proven., type: float, returned: when it was completed}
    total: {description: Their sum., type: float, returned: when the archive was proven}
  sample: {"proof": 0.2, "ready": 0.1, "restore": 0.4, "start": 2.1, "total": 2.8}
memory_bytes:
  description: Peak memory of the server; null if there was no server, or if it ended too early to measure.
  returned: always
  type: int
  sample: 118489088
isolation:
  description: How the server was isolated; null when none was started.
  returned: always
  type: str
  choices: [network_namespace, loopback]
  sample: network_namespace
sha256:
  description: Checksum of the archive.
  returned: when the archive verifies
  type: str
  sample: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
sealed: {description: Whether O(identity_file) opened it., returned: when the archive verifies, type: bool}
signed_by: {description: "The allowed signer of its manifest, or null.", returned: when the archive verifies, type: str}
download:
  description: C(bytes) that the private copy takes at most, and its C(directory).
  returned: for an archive in a bucket, or an encrypted one
  type: dict
size: {description: "Size of the archive in bytes.", returned: when the archive verifies, type: int, sample: 81930112}
taken_at:
  description: When a server took it, in UTC; null if the archive does not tell.
  returned: when the archive verifies
  type: str
  sample: "2026-11-23T02:15:00Z"
age:
  description:
    - Seconds since RV(taken_at), or since the last confirmation in its manifest, by the clock of the host the module
      runs on. It is null if neither is known, or if both are dated more than a day ahead.
  returned: when the archive verifies
  type: int
  sample: 3600
datacenter:
  description: Datacenter of the archive; null if the archive does not tell.
  returned: when the archive verifies
  type: str
  sample: dc1
cluster_id:
  description: Id of the archive's cluster; null if the archive does not tell.
  returned: when the archive verifies
  type: str
  sample: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
archive_version:
  description: Consul version of the archive; null if the archive does not tell.
  returned: when the archive verifies
  type: str
  sample: 1.22.7
records:
  description: Number of records and their size in bytes, by type, as C(count) and C(size).
  returned: when the archive verifies
  type: dict
  sample: {"ACLToken": {"count": 12, "size": 5321}, "KVS": {"count": 1043, "size": 1220411}}
fingerprint:
  description: Digest of the archive's durable content.
  returned: when the archive verifies
  type: str
  sample: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
server_version:
  description: Consul version of the throwaway server; null when none was found.
  returned: always
  type: str
  sample: 1.22.7
proof:
  description:
    - Comparison of the server's durable content with the archive's, with C(equal), C(differs), C(types) and
      C(across_versions) as M(disaster_recovery.consul.snapshot_restore) returns them.
    - C(lost) lists fields that the server's version does not know, if they make the content differ.
  returned: when the archive was restored
  type: dict
  sample: {"across_versions": false, "differs": [], "equal": true, "types": {}}
changes:
  description:
    - What a server of another version changed, by type. Unchanged types are left out.
    - Each type has the number of records that the server added, removed and changed, the first 20 names of each, and
      C(equal), which says whether the content still means the same.
  returned: when the archive was restored into another version
  type: dict
  sample:
    ACLPolicy: {"added": 1, "changed": 1, "equal": true, "names": {"added": ["builtin/global-read-only"]}, "removed": 0}
findings:
  description:
    - What will not restore well, as M(disaster_recovery.consul.snapshot_info) reports it, for the version of the
      throwaway server. If the server crashed, V(server_died) comes first, with its crash log.
  returned: when the archive verifies
  type: list
  elements: dict
  contains:
    name: {description: "A word for it, for a playbook to decide on.", type: str, returned: always}
    severity: {description: "How much it matters there: critical, warning or info.", type: str, returned: always}
    effect:
      description: V(seen) there, V(untested) when it is untested, V(none) if it has no effect, null for no version.
      type: str
      returned: always
      choices: [seen, untested, none]
    sentence: {description: What it means., type: str, returned: always}
    count: {description: "How many records, or names, it is about.", type: int, returned: always}
    names: {description: The names of the first 20 of them., type: list, elements: str, returned: always}
    crash_log:
      description: Lines of the server's log that say why it died, with everything masked that looks like a secret.
      type: list
      elements: str
      returned: when the name is V(server_died)
  sample: []
cleared:
  description: Directories of killed runs that this run removed, with the servers in them.
  returned: always
  type: list
  elements: str
  sample: []
kept_dir:
  description: The server's directory, if O(keep_on_failure) kept it; null otherwise.
  returned: always
  type: str
  sample: /tmp/kept-consul-rehearsal-h2k4d7qa
attempts:
  description: Failed attempts that were followed by another one.
  returned: always
  type: list
  elements: str
duration:
  description: Seconds by phase, and their sum as C(total).
  returned: always
  type: dict
  sample: {"binary": 0.1, "proof": 0.2, "ready": 0.1, "restore": 0.4, "start": 2.1, "total": 3.1, "verify": 0.2}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure; V(rehearsal) when something that was asked for does not hold.
      type: str
      returned: always
      choices: [defect, file, interrupted, missing_library, option, rehearsal]
    hint: {description: What to do next., type: str, returned: always}
    cause:
      description: What prevented the rehearsal, with its C(kind), C(hint) and further details.
      type: dict
      returned: when something did
    library: {description: The missing Python library., type: str, returned: when one is missing}
    path: {description: File or directory concerned., type: str, returned: when it could not be removed}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"hint": "Take a new archive, and find out why none was taken in time.", "kind": "rehearsal"}
"""

from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import SEALING_READ_OPTIONS, STORE_OPTIONS
from ..module_utils._errors import OptionError
from ..module_utils._operations.rehearse.assertions import KINDS, assertion_from
from ..module_utils._operations.rehearse.result import result_of
from ..module_utils._operations.rehearse.run import Rehearsal, RehearseRequest
from ..module_utils._operations.rehearse.verdict import failure_of

OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path", "required": True},
    **STORE_OPTIONS,
    **SEALING_READ_OPTIONS,
    "consul_binary": {"type": "str", "default": "consul"},
    "assertions": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **{name: {"type": "str", "no_log": False} for name in ("name", *KINDS)},
            "min_count": {"type": "int"},
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


def request_of(run: Run) -> RehearseRequest:
    params = run.params
    for option, least in (("timeout", 1), ("max_rto", 0), ("max_age", 0)):
        if params[option] is not None and params[option] < least:
            raise OptionError(f"{option} must be {least} or more", hint="Correct the option.")
    try:
        assertions = tuple(assertion_from(options) for options in params["assertions"])
    except ValueError as error:
        raise OptionError(f"assertions: {error}", hint="Correct the option.") from None
    own = {name: value for name, value in params.items() if name in RehearseRequest._fields}
    settings = {"store": run.store_settings(places=("src",)), "sealing": run.sealing_settings()}
    return RehearseRequest(**{**own, **settings, "assertions": assertions})


def rehearse_archive(run: Run) -> dict[str, Any]:
    src, rehearsal = run.params["src"], Rehearsal(run.journal)
    run.so_far = lambda: result_of(src, rehearsal.reached)
    request = request_of(run)
    ending = rehearsal.run(request, check=run.check)
    failure = failure_of(ending.conclusion, may_die=request.attempt_anyway)
    if failure is not None:
        raise failure
    return result_of(src, ending)


def main() -> None:
    run_module({"argument_spec": OPTIONS}, rehearse_archive)


if __name__ == "__main__":
    main()
