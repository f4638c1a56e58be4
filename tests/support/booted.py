# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A systemd of our own, in namespaces of its own: process 1 of a small system whose /etc is thrown away afterwards.

Network and files are those of this machine, but for /run, and /srv, which shows a directory of the test. What is
written to /etc and to the home directory is gone afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.waiting import wait_until

_SYSTEMD = Path("/usr/lib/systemd/systemd")
_UNITS = Path("/usr/lib/systemd/system")
_GROUPS = Path("/sys/fs/cgroup")
_UNIFIED = (_GROUPS / "cgroup.controllers").exists()
_HIERARCHY = _GROUPS if _UNIFIED else _GROUPS / "systemd"
# Only what timers and services need: no unit of the machine is started.
_BOOT = r"""
set -eu
mount --make-rprivate /
mount --bind "$1" /srv
mount -t tmpfs tmpfs /run
mkdir /run/etc /run/etc-work /run/home /run/home-work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc-work /etc
mount -t overlay overlay -o "lowerdir=$HOME,upperdir=/run/home,workdir=/run/home-work" "$HOME"
mount -t tmpfs tmpfs "$2"
for name in sysinit basic timers shutdown network-online; do
  printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$name" >"$2/$name.target"
done
printf '[Unit]\nDescription=boot\nDefaultDependencies=no\nWants=basic.target timers.target\n' >"$2/own.target"
rm -rf /etc/systemd/system /etc/cron.d
mkdir /etc/systemd/system /etc/cron.d
mount -t proc proc /proc
# Seen from the new namespace, so that systemd makes its groups below its own one, and in no other hierarchy.
if [ "$4" = unified ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
  mount -t tmpfs tmpfs /sys/fs/cgroup
  mkdir /sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
fi
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
export container=test
exec "$3" --system --unit=own.target --show-status=0 --log-target=null
"""


def why_not() -> str:
    """Return why systemd can't be started here; empty when it can."""
    if os.geteuid() != 0:
        return "only root can start a systemd of its own"
    if not _HIERARCHY.is_dir():
        return f"{_HIERARCHY} is not there, so systemd could not keep its processes apart"
    missing = [name for name in ("unshare", "nsenter", "systemctl", "runuser") if shutil.which(name) is None]
    if missing or not _SYSTEMD.exists():
        return f"not on this machine: {', '.join(missing) or _SYSTEMD}"
    return ""


class Booted:
    """A running systemd; ``directory`` of the machine is /srv in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # One in each hierarchy: systemd mounts those that it needs, and makes its groups below these.
        places = [_GROUPS] if _UNIFIED else sorted(path for path in _GROUPS.iterdir() if (path / "tasks").exists())
        places += [] if _UNIFIED else [path for path in [_GROUPS / "unified"] if path.is_dir()]
        self._groups = [place / f"consul-schedule-{os.getpid()}" for place in places]
        self._process: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Booted:
        for group in self._groups:
            group.mkdir(exist_ok=True)
        # Not every hierarchy takes a process into a new group; systemd does without those.
        joined = "".join(f"echo $$ >{group}/cgroup.procs || true; " for group in self._groups)
        join = f'{{ {joined}}} 2>/dev/null; exec "$@"'
        spaces = ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--cgroup", "--uts", "--ipc"]
        boot = ["sh", "-c", _BOOT, "boot", str(self.directory), str(_UNITS.resolve()), str(_SYSTEMD)]
        boot.append("unified" if _UNIFIED else "legacy")
        self._process = subprocess.Popen(["sh", "-c", join, "join", *spaces, *boot])
        wait_until(self._is_running, "systemd did not start", 30)
        return self

    def __exit__(self, *_caught: object) -> None:
        if self._process:
            # unshare takes its child with it, which is the process 1 of all others.
            self._process.kill()
            self._process.wait()
        wait_until(self._is_gone, "a group of processes stayed", 10)

    def run(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as root, and return its end."""
        inside = ["nsenter", "-t", str(self._init), "--mount", "--pid", "--cgroup", "--uts", "--ipc", *command]
        return subprocess.run(
            inside,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ok(self, *command: str) -> str:
        """Run a command that must end well, and return what it says."""
        done = self.run(command)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def properties(self, unit: str, *names: str) -> dict[str, str]:
        """Return properties of a unit, as systemd has them."""
        told = self.ok("systemctl", "show", unit, *(f"--property={name}" for name in names))
        return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)

    def _is_running(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "systemd ended"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii")
        if not re.fullmatch(r"\d+ ?", children):
            return False
        self._init = int(children)
        return self.run(["systemctl", "is-system-running"]).stdout.strip() in ("running", "degraded")

    def _is_gone(self) -> bool:
        """Remove the groups that systemd made; the kernel does so only when their processes are gone."""
        try:
            for group in filter(Path.is_dir, self._groups):
                inner = [path for path in group.rglob("*") if path.is_dir()]
                for place in sorted([group, *inner], key=lambda path: -len(path.parts)):
                    place.rmdir()
        except OSError:
            return False
        return True
