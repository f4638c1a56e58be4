# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that die with the process that started them, kept to themselves where the kernel allows it."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from .._errors import BinaryError
from .._system import launch
from .._system.signals import uninterrupted

NETWORK_NAMESPACE, LOOPBACK = "network_namespace", "loopback"
LICENSE, LICENSE_PATH = "CONSUL_LICENSE", "CONSUL_LICENSE_PATH"

_OUTPUT_LIMIT = 4096
_PATIENCE = 15.0
"""Seconds that a program may take to tell its version, or to become a server's launcher."""


def isolation() -> str:
    """Return how a server can be kept to itself on this host: NETWORK_NAMESPACE or LOOPBACK."""
    unshare = own_network()
    if not unshare:
        return LOOPBACK
    _output, code = output_of([], unshare)
    return NETWORK_NAMESPACE if code == 0 else LOOPBACK


def own_network() -> tuple[str, ...]:
    """Return the command that runs another one in a network namespace of its own; empty where there is none."""
    unshare = shutil.which("unshare")
    return (unshare, "--user", "--map-root-user", "--net") if unshare else ()


def start_program(
    command: Sequence[str],
    through: Sequence[str],
    *,
    home: str,
    note: str,
    output: int | IO[Any],
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own that ends when this process does.

    :param through: ``own_network()``, or nothing. :param home: its working directory.
    :param note: file to which its identity is written before it begins; empty for none.
    :raises BinaryError: no process can be started.
    """
    arguments = [str(os.getpid()), note, home, "up" if through else "", *command]
    try:
        # AnsibleModule.run_command waits for its program to end; this one goes on beside us.
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            [*through, sys.executable, "-I", "-S", "-c", _launcher(), *arguments],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment_from(os.environ),
        )
    except OSError as error:
        raise BinaryError(
            f"can't start a program: {os.strerror(error.errno or 0)}",
            hint="Check this host's free memory and its limits on processes.",
        ) from None


def output_of(command: Sequence[str], through: Sequence[str] = ()) -> tuple[str, int | None]:
    """Run a program that should be done soon, whatever it is.

    Return the beginning of its output, and its exit code, None where it had to be ended.

    :raises BinaryError: no process can be started.
    """
    with uninterrupted():
        process = start_program(command, through, home="/", note="", output=subprocess.PIPE)
    output, end = b"", time.monotonic() + _PATIENCE
    try:
        while len(output) < _OUTPUT_LIMIT and process.stdout is not None:
            ready, _write, _except = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(process.stdout.fileno(), _OUTPUT_LIMIT) if ready else b""
            if not piece:
                break
            output += piece
        # What has not ended by then has no exit code, and is killed below.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()) if len(output) < _OUTPUT_LIMIT else 0)
        code = process.returncode
    finally:
        with uninterrupted():
            # Whatever it started is in its session as well.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    return output.decode("utf-8", "replace"), code


def environment_from(variables: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for the launcher, which begins in another directory and passes little of it on."""
    path = variables.get(LICENSE_PATH)
    return {**variables, **({LICENSE_PATH: os.path.abspath(path)} if path else {})}


@functools.cache
def _launcher() -> str:
    return inspect.getsource(launch)
