# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind the module ``notify``: it runs on the controller, and never fails a run.

Its arguments hold secrets. They are checked here rather than by Ansible's own helper, whose error would point at the
line of the playbook or inventory that they are from, and show it.
"""

from __future__ import annotations

import os
import time
import uuid
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils._times import from_text
from ..plugin_utils._notify_event import ENTRY, event_of
from ..plugin_utils._notify_request import TARGETS, Request, TargetError, requests_of, timeout_of
from ..plugin_utils._notify_send import send

OPTIONS: dict[str, dict[str, Any]] = {
    "to": {"type": "dict", "required": True, "no_log": True, "options": TARGETS},
    "channels": {"type": "list", "elements": "str", "choices": ["ping", "webhook"], "default": ["ping", "webhook"]},
    "outcome": {"type": "str", "choices": ["start", "success", "failure", "skipped"], "required": True},
    "operation": {"type": "str", "default": "backup"},
    "clusters": {"type": "list", "elements": "dict", "options": ENTRY, "default": []},
    "started_at": {"type": "str"},
}


class ActionModule(ActionBase):
    """Sends notifications; see the documentation of the module."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.check_mode:
            return {**result, "changed": False, "sent": [], "problems": []}
        try:
            sent, problems = self._notify()
        except TargetError as error:
            sent, problems = [], [str(error)]
        except Exception as error:  # a backup that was made must not fail for its notification
            sent, problems = [], [f"{type(error).__name__} in the collection"]
        for problem in problems:
            self._display.warning(f"notification not sent: {problem}")
        return {**result, "changed": False, "sent": sent, "problems": problems}

    def _notify(self) -> tuple[list[str], list[str]]:
        checked = ArgumentSpecValidator(OPTIONS).validate(dict(self._task.args))
        if checked.error_messages:
            # Not in the validator's words, which may repeat a value.
            raise TargetError("its options can't be used; 'ansible-doc disaster_recovery.consul.notify' describes them")
        params = checked.validated_parameters
        target, timeout = params["to"], timeout_of(params["to"])
        if target["ca_path"] and not os.path.isfile(target["ca_path"]):
            raise TargetError("ca_path is not a file on the controller")
        sent, problems = [], []
        for request in requests_of(target, params["outcome"], _event(params), tuple(params["channels"])):
            problem = _send(request, target, timeout)
            if problem:
                problems.append(f"{request.channel}: {problem}")
            else:
                sent.append(request.channel)
        return sent, problems


def _event(params: dict[str, Any]) -> dict[str, Any]:
    try:
        started_at = from_text(params["started_at"]) if params["started_at"] else None
    except ValueError:
        raise TargetError("started_at must be a time such as 2026-11-23T02:15:00Z") from None
    return event_of(
        operation=params["operation"],
        outcome=params["outcome"],
        clusters=params["clusters"],
        number=str(uuid.uuid4()),
        started_at=started_at,
        now=time.time(),
    )


def _send(request: Request, target: dict[str, Any], timeout: float) -> str:
    return send(request, timeout=timeout, ca_path=target["ca_path"], validate_certs=target["validate_certs"])
