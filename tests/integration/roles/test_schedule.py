# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role schedule under a real systemd: what it writes, what runs then, and that nothing is left of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from support.booted import why_not
from support.playbooks import Ansible, hosts_of
from support.scheduler import SECRET, Scheduler

from lab import Cluster

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

NAME = "consul-backup"
UNITS = (f"/etc/systemd/system/{NAME}.timer", f"/etc/systemd/system/{NAME}.service")
CRON = f"/etc/cron.d/{NAME}"
RUN = f"/etc/consul-schedule/{NAME}/run"


def test_a_timer_on_the_controller(scheduler: Scheduler, ansible: Ansible, one: Cluster, tmp_path: Path) -> None:
    booted = scheduler.booted
    ansible.inventory(hosts_of(one), backup_cluster="one", backup_dir="/srv/kept")
    variables = {"schedule_variables": {"unused": SECRET}, "schedule_on_failure": ["alarm@%n.service"]}
    assert scheduler.ok("--check", **variables).changed > 0
    assert scheduler.files() == []
    played = scheduler.ok(**variables)
    assert sorted(scheduler.files()) == sorted(
        [*UNITS, f"/etc/systemd/system/timers.target.wants/{NAME}.timer", RUN, RUN.replace("run", "variables.json")]
    )
    assert scheduler.ok(**variables).changed == 0

    # systemd has read all of it as it is meant.
    timer = booted.properties(f"{NAME}.timer", "ActiveState", "UnitFileState", "Persistent", "RandomizedDelayUSec")
    assert timer == {
        "ActiveState": "active", "UnitFileState": "enabled", "Persistent": "yes", "RandomizedDelayUSec": "5min"
    }
    assert "02:15:00" in booted.properties(f"{NAME}.timer", "TimersCalendar")["TimersCalendar"]
    service = booted.properties(f"{NAME}.service", "OnFailure", "User", "ExecStart", "NoNewPrivileges", "UMask")
    assert (service["OnFailure"], service["User"], service["UMask"]) == (f"alarm@{NAME}.service", "root", "0077")
    assert f"argv[]=/bin/sh {RUN} ;" in service["ExecStart"]
    alarm = f"[Service]\nType=oneshot\nExecStart=/bin/touch /srv/alarm\n"
    booted.ok("sh", "-c", f"printf '{alarm}' > /etc/systemd/system/alarm@.service; systemctl daemon-reload")
    assert booted.run(["systemd-analyze", "verify", *UNITS]).stdout == ""
    judged = booted.ok("systemd-analyze", "security", "--no-pager", f"{NAME}.service")
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", judged)
    assert exposure and float(exposure.group(1)) < 5, judged

    # No secret where others can read it.
    readable = booted.ok("sh", "-c", f"cat {' '.join(UNITS)} {RUN}")
    assert SECRET not in readable
    assert booted.ok("stat", "-c", "%a %U", RUN, f"{RUN[:-4]}/variables.json", RUN[:-4]).split("\n")[:3] == [
        "700 root", "600 root", "700 root"
    ]
    assert SECRET in booted.ok("cat", f"{RUN[:-4]}/variables.json")

    # What the timer starts, and what is printed to be run by hand.
    booted.ok("systemctl", "start", f"{NAME}.service")
    (archive,) = (tmp_path / "kept").glob("*.snap")
    one.cli("snapshot", "inspect", archive)
    (by_hand,) = re.findall(r"by hand: (.*?)\"", played.output)
    assert "confirmed /srv/kept/" in booted.ok(*shlex.split(by_hand))
    assert not (tmp_path / "alarm").exists()

    # A run that fails starts the unit that tells somebody.
    (tmp_path / "inventory.yml").rename(tmp_path / "elsewhere.yml")
    assert booted.run(["systemctl", "start", f"{NAME}.service"]).returncode != 0
    assert (tmp_path / "alarm").exists()
    (tmp_path / "elsewhere.yml").rename(tmp_path / "inventory.yml")
    booted.ok("rm", "/etc/systemd/system/alarm@.service")

    check_cron_instead(scheduler, variables)


def check_cron_instead(scheduler: Scheduler, variables: dict[str, Any]) -> None:
    booted = scheduler.booted
    scheduler.ok(schedule_kind="cron", schedule_cron="5 3 * * mon-fri", **variables)
    assert CRON in scheduler.files()
    assert [name for name in scheduler.files() if "/systemd/" in name] == []
    assert booted.properties(f"{NAME}.timer", "LoadState") == {"LoadState": "not-found"}
    *_, line = booted.ok("cat", CRON).splitlines()
    assert line == f"5 3 * * mon-fri root timeout -k 60 21600 {RUN}"
    # As cron does: a shell with next to nothing in its environment.
    command = line.split(" ", 6)[-1]
    assert "confirmed /srv/kept/" in booted.ok("env", "-i", "HOME=/root", "/bin/sh", "-c", command)
    # Back to the timer, and away.
    scheduler.ok(**variables)
    assert CRON not in scheduler.files()
    assert scheduler.ok("--check", schedule_state="absent").changed > 0
    assert UNITS[0] in scheduler.files()
    scheduler.ok(schedule_state="absent")
    assert scheduler.files() == []
    assert booted.properties(f"{NAME}.timer", "LoadState") == {"LoadState": "not-found"}
    assert scheduler.ok(schedule_state="absent").changed == 0


def test_what_is_somebody_elses_or_wrong_changes_nothing(scheduler: Scheduler, ansible: Ansible) -> None:
    booted = scheduler.booted
    ansible.inventory({"a": {}})
    foreign = "[Timer]\nOnCalendar=daily\n"
    booted.ok("sh", "-c", f"printf '{foreign}' > {UNITS[0]}")
    played = scheduler.play()
    assert played.code != 0
    assert played.says(f"{UNITS[0]}: not written by this role, so it stays as it is")
    assert scheduler.ok(schedule_state="absent").changed == 0
    assert scheduler.files() == [UNITS[0]]
    assert booted.ok("cat", UNITS[0]) == foreign
    booted.ok("rm", UNITS[0])
    for variables, said in (
        ({"schedule_calendar": "every night"}, 'systemd can\'t read "every night"'),
        ({"schedule_ansible_playbook": "/srv/none"}, "/srv/none is not a program here"),
        ({"schedule_arguments": ["-e", f"x={SECRET}"]}, "schedule_arguments must not set variables"),
        ({"schedule_calender": "daily"}, "schedule_calender instead of schedule_calendar"),
    ):
        played = scheduler.play(**variables)
        assert played.code != 0
        assert played.says(said), played.output
    assert scheduler.files() == []
