# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules called on real clusters, with the connection filled in and what must always hold checked."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

from lab import Cluster, Server
from support.modules import Outcome, Runner, arguments, command, environment, finish, start
from support.scene import check_decent


def connection(cluster: Cluster, server: Server | None = None) -> dict[str, Any]:
    """The options that lead a module to a cluster with every right, over plain HTTP."""
    server = server or cluster.first_alive()
    token = {"token": cluster.tokens.initial_management} if cluster.acl else {}
    return {"host": "127.0.0.1", "port": server.http_port, **token}


class Calls:
    """Runs modules; every outcome is checked for tracebacks, defects and the management token."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def run(
        self,
        cluster: Cluster | None,
        module: str,
        /,
        *,
        server: Server | None = None,
        check: bool = False,
        diff: bool = False,
        **options: Any,
    ) -> Outcome:
        """Run a module; an option that is None is left out."""
        told = {**(connection(cluster, server) if cluster else {}), **options}
        told = {name: value for name, value in told.items() if value is not None}
        outcome = self._runner.run(module, check=check, diff=diff, **told)
        check_decent(outcome, [cluster.tokens.initial_management] if cluster else [])
        return outcome

    def ok(self, cluster: Cluster | None, module: str, /, **options: Any) -> dict[str, Any]:
        """Run a module that must succeed, and return its result."""
        outcome = self.run(cluster, module, **options)
        assert not outcome.failed, outcome.result
        return outcome.result

    def fails(self, cluster: Cluster | None, module: str, kind: str, /, **options: Any) -> dict[str, Any]:
        """Run a module that must fail in this way, and return its result."""
        outcome = self.run(cluster, module, **options)
        assert outcome.failed, outcome.result
        assert outcome.failure["kind"] == kind, outcome.result["msg"]
        assert not outcome.result.get("changed")
        return outcome.result


def start_on(cluster: Cluster, module: str, /, **options: Any) -> subprocess.Popen[str]:
    """Start a module on a cluster in a process of its own; ``finish`` of ``support.modules`` waits for it."""
    return start(module, **{**connection(cluster), **options})


def run_in(variables: Mapping[str, str], module: str, **options: Any) -> Outcome:
    """Run a module in an environment with some variables more."""
    process = subprocess.Popen(
        command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(), **variables},
    )
    assert process.stdin is not None
    process.stdin.write(arguments(**options))
    process.stdin.close()
    process.stdin = None
    outcome = finish(process)
    check_decent(outcome, [])
    return outcome
