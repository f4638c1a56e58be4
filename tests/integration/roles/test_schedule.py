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
from support.booted import Booted, why_not
from support.playbooks import Ansible, hosts_of
from support.scheduler import SECRET, Scheduler
from support.waiting import wait_until

from lab import Cluster

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

NAME = "consul-backup"
UNITS = (f"/etc/systemd/system/{NAME}.timer", f"/etc/systemd/system/{NAME}.service")
CRON = f"/etc/cron.d/{NAME}"
RUN = f"/etc/consul-schedule/{NAME}/run"
VARIABLES = f"/etc/consul-schedule/{NAME}/variables.json"
WANTED = f"/etc/systemd/system/timers.target.wants/{NAME}.timer"


@pytest.mark.nightly
def test_cron_then_a_timer_on_the_controller(
    scheduler: Scheduler, ansible: Ansible, one: Cluster, tmp_path: Path
) -> None:
    booted = scheduler.booted
    ansible.inventory(hosts_of(one), backup_cluster="one", backup_dir="/srv/kept")
    variables = {"schedule_variables": {"unused": SECRET}, "schedule_on_failure": ["alarm@%n.service"]}
    assert scheduler.ok("--check", **variables).changed > 0
    assert scheduler.files() == []

    scheduler.ok(schedule_kind="cron", schedule_cron="5 3 * * mon-fri", **variables)
    assert set(scheduler.files()) == {CRON, RUN, VARIABLES}
    line = booted.ok("cat", CRON).splitlines()[-1]
    assert line == f"5 3 * * mon-fri root timeout -k 60 21600 {RUN}"
    # As cron does: a shell with next to nothing in its environment.
    said = booted.ok("env", "-i", "HOME=/srv", "/bin/sh", "-c", line.split(" ", 6)[-1])
    assert "one: kept /srv/kept/" in said
    (archive,) = (tmp_path / "kept").glob("*.snap")
    one.cli("snapshot", "inspect", archive)

    played = scheduler.ok(**variables)
    assert set(scheduler.files()) == {*UNITS, WANTED, RUN, VARIABLES}
    assert scheduler.ok(**variables).changed == 0
    check_units(booted)
    check_private(booted)

    # What the timer starts, and what is printed to be run by hand.
    booted.ok("systemctl", "start", f"{NAME}.service")
    (by_hand,) = re.findall(r"by hand: (.*?)\"", played.output)
    assert "one: confirmed /srv/kept/" in booted.ok(*shlex.split(by_hand))
    check_a_failure_is_told(booted, tmp_path)

    scheduler.ok(schedule_state="absent")
    assert scheduler.files() == []
    assert booted.properties(f"{NAME}.timer", "LoadState") == {"LoadState": "not-found"}


def check_units(booted: Booted) -> None:
    """systemd has read all of it as it is meant."""
    timer = booted.properties(f"{NAME}.timer", "ActiveState", "UnitFileState", "Persistent", "RandomizedDelayUSec")
    assert timer == {
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "Persistent": "yes",
        "RandomizedDelayUSec": "5min",
    }
    assert "02:15:00" in booted.properties(f"{NAME}.timer", "TimersCalendar")["TimersCalendar"]
    service = booted.properties(f"{NAME}.service", "OnFailure", "User", "ExecStart", "UMask")
    # %n is the whole name of the unit that failed.
    assert service["OnFailure"] == f"alarm@{NAME}.service.service"
    assert (service["User"], service["UMask"]) == ("root", "0077")
    assert f"argv[]=/bin/sh {RUN} ;" in service["ExecStart"]
    assert booted.run(["systemd-analyze", "verify", *UNITS]).stdout == ""
    judged = booted.ok("systemd-analyze", "security", "--no-pager", f"{NAME}.service")
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", judged)
    assert exposure, judged
    assert float(exposure.group(1)) < 3


def check_private(booted: Booted) -> None:
    """Where others can read, there is no secret."""
    assert SECRET not in booted.ok("cat", *UNITS, RUN)
    assert SECRET in booted.ok("cat", VARIABLES)
    told = booted.ok("stat", "-c", "%a %U", VARIABLES, RUN, str(Path(RUN).parent)).splitlines()
    assert told == ["600 root", "700 root", "700 root"]


def check_a_failure_is_told(booted: Booted, directory: Path) -> None:
    """A run that fails starts the unit that tells somebody; the runs before it did not."""
    alarm = "[Service]\nType=oneshot\nExecStart=/bin/touch /srv/alarm\n"
    booted.ok("sh", "-c", f"printf '{alarm}' > /etc/systemd/system/alarm@.service; systemctl daemon-reload")
    inventory = directory / "inventory.yml"
    inventory.rename(directory / "elsewhere.yml")
    assert booted.run(["systemctl", "start", f"{NAME}.service"]).returncode != 0
    wait_until((directory / "alarm").exists, "nobody was told", 30)
    (directory / "elsewhere.yml").rename(inventory)
    booted.ok("rm", "/etc/systemd/system/alarm@.service")


@pytest.mark.every_version
def test_what_is_somebody_elses_or_wrong_changes_nothing(scheduler: Scheduler, ansible: Ansible) -> None:
    booted = scheduler.booted
    foreign = "[Timer]\nOnCalendar=daily\n"
    theirs = "/etc/systemd/system/theirs.timer"
    booted.ok("sh", "-c", f"printf '{foreign}' > {theirs}")
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "theirs": ({}, f"{theirs}: not written by this role, so it stays as it is"),
        "time": ({"schedule_calendar": "every night"}, 'systemd can not read schedule_calendar: "every night"'),
        "program": ({"schedule_ansible_playbook": "/srv/none"}, "/srv/none is not a program here"),
        "secret": ({"schedule_arguments": ["-e", f"x={SECRET}"]}, "schedule_arguments must not set variables"),
        "name": ({"schedule_calender": "daily"}, "schedule_calender instead of schedule_calendar"),
        "alone": ({"backup_cluster": ""}, "backup_cluster is not set"),
    }
    ansible.inventory(
        {name: {"schedule_name": name, **variables} for name, (variables, _said) in wrong.items()},
        schedule_place="servers",
        schedule_ansible_playbook="/bin/sh",
        backup_cluster="one",
    )
    played = scheduler.play()
    assert {name for name, counts in played.recap.items() if counts["failed"]} == wrong.keys()
    for _variables, said in wrong.values():
        assert played.says(said), played.output
    assert scheduler.files() == [theirs]
    # Nor is it removed.
    played = scheduler.ok("--limit", "theirs", schedule_state="absent")
    assert played.says("theirs: stays, because this role did not write it")
    assert booted.ok("cat", theirs) == foreign
