# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules in forks of itself: ``warm.py SOCKET COLLECTION``, started by ``support.modules``.

Each message on the socket is the dotted name of a module with three descriptors for its stdin, stdout and stderr; the
answer is its exit code. Ends when the other side closes the socket.
"""

from __future__ import annotations

import importlib
import os
import runpy
import socket
import sys
import traceback

# All that modules import from elsewhere, and none of the modules themselves: these are run anew each time.
PRELOADED = ("ansible.module_utils.basic", "{collection}.plugins.module_utils._operations.restore.run")


def run(module: str, descriptors: list[int]) -> int:
    """Be the module: with these descriptors as standard streams, and its exit code as the result."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv = [module]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Serve until the other side is gone."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    for name in PRELOADED:
        importlib.import_module(name.format(collection=sys.argv[2]))
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(channel, 4096, 3)
        if not message:
            return
        child = os.fork()
        if child == 0:
            channel.close()
            code = run(message.decode(), descriptors)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        for descriptor in descriptors:
            os.close(descriptor)
        _pid, status = os.waitpid(child, 0)
        channel.sendall(str(os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)).encode())


if __name__ == "__main__":
    main()
