# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role schedule writes, and what of it can't be used (pure).

A timer or a line for cron holds nothing but the path of a script. The script has the whole command, quoted once, so
that neither systemd's nor cron's own signs matter, and so that it can be run by hand.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._storage.retention.policy import parse_duration
from ._cron import cron_problem
from ._kit_text import shell_word

MARK = "# Written by the role disaster_recovery.consul.schedule. What is changed here by hand is lost."
"""A line of every file of the role; files without it are somebody else's."""

_RECORD = "# schedule: "
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_PATH = re.compile(r"/[A-Za-z0-9_./-]+")
_CALENDAR = re.compile(r"[A-Za-z0-9 *:,./~+_-]{1,200}")
_UNIT = re.compile(r"[A-Za-z0-9:_.@%\\-]{1,200}\.(service|target|timer|path|socket)")
_CREDENTIAL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
_CREDENTIAL_PATH = re.compile(r"/[^\s%:\\\"'\x00-\x1f\x7f]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")


def command_of(settings: Mapping[str, Any]) -> list[str]:
    """Return the words of the command that a schedule runs.

    :param settings: ``{ansible_playbook, playbook, inventory, variables_file, arguments}``; ``variables_file`` is
        empty where there are no variables.
    """
    words = [str(settings["ansible_playbook"])]
    for source in settings["inventory"]:
        words += ["-i", str(source)]
    words.append(f"disaster_recovery.consul.{settings['playbook']}")
    if settings.get("variables_file"):
        words += ["-e", f"@{settings['variables_file']}"]
    return [*words, *(str(one) for one in settings["arguments"])]


def command_text(words: Iterable[str]) -> str:
    """Return a command as a line of a shell. :raises ValueError: a word can't be written in one."""
    return " ".join(shell_word(word) for word in words)


def record_text(place: str, inventory: Iterable[str]) -> str:
    """Return the comment that says to what place and inventory a file belongs; ``record_in`` reads it."""
    return _RECORD + json.dumps({"place": place, "inventory": [str(one) for one in inventory]}, sort_keys=True)


def record_in(text: str) -> dict[str, Any] | None:
    """Return what a file's comment says, as ``{place, inventory}``; None when the file is not of the role."""
    lines = text.splitlines()[:6]
    if MARK not in lines:
        return None
    told = next((line[len(_RECORD) :] for line in lines if line.startswith(_RECORD)), "")
    try:
        record = json.loads(told) if told else {}
    except (ValueError, RecursionError):
        record = {}
    record = record if isinstance(record, dict) else {}
    inventory = record.get("inventory")
    return {
        "place": str(record.get("place") or ""),
        "inventory": [str(one) for one in inventory] if isinstance(inventory, list) else [],
    }


def found_in(
    told: str, paths: Sequence[str], *, place: str = "", inventory: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return what is there of a schedule, and whose the files are.

    :param told: what the role's look.sh printed; empty where it could not run.
    :param paths: the files that it was asked for.
    :param place: only files that belong to this place count as the role's own; empty: to any.
    :param inventory: only files that belong to these inventories count; None: to any.
    :return: ``{own: [path], other: [path], foreign: [path]}``; ``other`` are the role's for another place or inventory.
        And ``uid`` (-1 where it is not known) and ``systemd``, ``cron``, ``program``, ``calendar``: whether they are
        there, and whether the time can be read.
    """
    lines = [(name, value) for name, _equals, value in (line.partition("=") for line in told.splitlines())]
    facts = {name: value for name, value in lines if name not in ("file", "none")}
    found: dict[str, list[str]] = {"own": [], "other": [], "foreign": []}
    files = [(name, value) for name, value in lines if name in ("file", "none")]
    for path, (name, value) in zip(paths, files):
        if name == "none":
            continue
        try:
            text = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            text = ""
        record = record_in(text)
        if record is None:
            found["foreign"].append(str(path))
            continue
        fits = place in ("", record["place"]) and inventory in (None, record["inventory"])
        found["own" if fits else "other"].append(str(path))
    uid = facts.get("uid", "")
    there = {name: facts.get(name) == "1" for name in ("systemd", "cron", "program", "calendar")}
    return {**found, **there, "uid": int(uid) if uid.isdecimal() else -1}


def problems_of(settings: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the settings of a schedule, a sentence each; empty when nothing is.

    :param settings: those of ``command_of`` and ``{name, kind, place, user, calendar, cron, config_dir, on_failure,
        credentials, fallback_after, timeout, random_delay, variables, hardened, collections_path}``, as their variables
        have them.
    """
    return [*_text_problems(settings), *_list_problems(settings), *_place_problems(settings)]


def _text_problems(settings: Mapping[str, Any]) -> list[str]:
    shapes = (
        ("name", _NAME, "must be lower-case letters, digits and dashes (cron ignores files with a dot)"),
        ("user", _USER, "must be the name of a user"),
        ("config_dir", _PATH, "must be an absolute path of letters, digits, dots, dashes and underscores"),
        ("ansible_playbook", re.compile(r"/[^\x00-\x1f\x7f]+"), "must be the absolute path of ansible-playbook"),
    )
    problems = [
        f'schedule_{name} {wanted}, got "{printable(str(settings[name]))}".'
        for name, shape, wanted in shapes
        if not shape.fullmatch(str(settings[name])) or "/../" in f"{settings[name]}/"
    ]
    if settings["kind"] == "systemd" and not _CALENDAR.fullmatch(str(settings["calendar"])):
        problems.append(
            'schedule_calendar must be a time as OnCalendar= of systemd takes it, such as "*-*-* 02:15:00", '
            f'got "{printable(str(settings["calendar"]))}".'
        )
    if settings["kind"] == "cron":
        fault = cron_problem(str(settings["cron"]))
        problems += [f"schedule_cron: {fault}"] if fault else []
    for name in ("timeout", "random_delay"):
        if int(settings[name]) < 0:
            problems.append(f"schedule_{name} must be a number of seconds, got {int(settings[name])}.")
    return problems


def _list_problems(settings: Mapping[str, Any]) -> list[str]:
    problems = [
        f'schedule_on_failure must be names of units, such as alert@%n.service, got "{printable(str(unit))}".'
        for unit in settings["on_failure"]
        if not _UNIT.fullmatch(str(unit))
    ]
    for name, path in settings["credentials"].items():
        if not (_CREDENTIAL.fullmatch(str(name)) and _CREDENTIAL_PATH.fullmatch(str(path))):
            problems.append(
                "schedule_credentials must be names with absolute paths of files, without blanks, quotes, % and "
                f'colons, got "{printable(str(name))}: {printable(str(path))}".'
            )
    if settings["credentials"] and settings["kind"] == "cron":
        problems.append("schedule_credentials requires systemd. With cron, let schedule_user own the files.")
    for source in settings["inventory"]:
        if str(source).startswith("-") or not str(source) or _UNSEEN.search(str(source)):
            problems.append(f'schedule_inventory must be paths of inventories, got "{printable(str(source))}".')
    problems += _hidden_problems(settings)
    problems += [problem for problem in map(_argument_problem, _pairs(settings["arguments"])) if problem]
    return problems


def _hidden_problems(settings: Mapping[str, Any]) -> list[str]:
    """Return what the run would not see, because /tmp is private to it."""
    if settings["kind"] != "systemd" or not settings["hardened"]:
        return []
    places = [*settings["inventory"], settings["ansible_playbook"], *str(settings["collections_path"]).split(":")]
    hidden = [str(place) for place in places if str(place).startswith(("/tmp/", "/var/tmp/"))]  # noqa: S108
    if not hidden:
        return []
    shown = ", ".join(map(printable, hidden))
    return [f"the run has a private /tmp, and does not see {shown}. Move it, or set schedule_hardened: false."]


def _pairs(words: Sequence[Any]) -> list[tuple[str, str]]:
    listed = [str(word) for word in words]
    return list(zip(listed, [*listed[1:], ""]))


def _argument_problem(pair: tuple[str, str]) -> str:
    """Return what is wrong with a word of ansible-playbook's command line, followed by another one.

    What is written there can be read by everyone on the host. The value is not shown.
    """
    word, following = pair
    if _UNSEEN.search(word):
        return "schedule_arguments must not contain control characters or line breaks."
    name, equals, value = word.partition("=")
    if word.startswith("-e"):
        value = word[2:] or following
    elif name.startswith("--ex") and "--extra-vars".startswith(name):
        value = value if equals else following
    else:
        return ""
    if value.startswith("@"):
        return ""
    return (
        "schedule_arguments must not set variables: every user of the host could read them. Use schedule_variables, "
        "which are kept in a private file, or -e @file."
    )


def _place_problems(settings: Mapping[str, Any]) -> list[str]:
    problems = []
    if settings["place"] == "controller" and not settings["inventory"]:
        problems.append("schedule_inventory is empty: no inventory is known. Set it to the paths of your inventories.")
    if settings["place"] != "servers":
        return problems
    if settings["playbook"] != "backup":
        problems.append(
            "schedule_place: servers is for backups, where the leader alone works. Set schedule_place: controller."
        )
    elif not settings["variables"].get("backup_cluster"):
        problems.append(
            "backup_cluster is not set. Set it to one name for all servers of the cluster, in the inventory or in "
            "schedule_variables; otherwise each of them would count as a cluster of its own."
        )
    if settings["fallback_after"]:
        try:
            parse_duration(str(settings["fallback_after"]))
        except ValueError as error:
            problems.append(f'schedule_fallback_after is "{printable(str(settings["fallback_after"]))}": {error}.')
    return problems
