# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which every module runs and ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._consul.client import Client
from .._errors import MESSAGE_LIMIT, printable
from .._operations.journal import Journal
from .._storage.location import parse_location
from .._storage.sealing.permissions import remarks_on_files
from .._storage.sealing.recipients import is_secret
from .._storage.settings import SealingSettings, StoreSettings
from .endings import failure_of, for_people
from .interrupts import ignore_signals, install_signal_handlers
from .options import checked_token, connection_from
from .store_options import require_fitting, sealing_settings, secrets_in, store_settings


class Run:
    """One run of a module, as its operation sees it.

    ``params``: the options. ``check``, ``diff``: Ansible's modes. ``journal``: where timings and failed attempts are
    noted; every result has them. ``so_far``: returns what the result of a failed run says beside ``failure``, however
    it failed: keys of the result, ``changed`` among them, and ``state`` for ``failure.state``. An operation that has
    something to say there sets it first of all.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, Any] = module.params
        self.check: bool = module.check_mode
        self.diff: bool = module._diff
        self.journal = Journal(self.warn)
        self.so_far: Callable[[], dict[str, Any]] = dict

    def warn(self, text: str) -> None:
        """Warn at once. The text may hold names from a server or an archive, and Ansible prints it as it is."""
        self.module.warn(printable(text, MESSAGE_LIMIT))

    def client(self) -> Client:
        """Return a client for the connection options and the environment.

        :raises OptionError: they can't be used. :raises MissingLibraryError: requests is not installed.
        """
        connection = connection_from(self.params, os.environ)
        self.module.no_log_values.update(connection.secrets)
        return Client(connection)

    def store_settings(self, option: str = "store", *, places: Iterable[str] = ()) -> StoreSettings:
        """Return how stores are reached; the secrets among it are never shown, nor those that an SDK reads itself.

        :param places: the options that name what is reached with it; each setting must have an effect for one of them.
        :raises OptionError: a setting can't be used.
        """
        settings = store_settings(self.params, option)
        self.module.no_log_values.update(secrets_in(settings, os.environ))
        named = [parse_location(self.params[place], place) for place in places if self.params[place]]
        require_fitting(settings, named, option)
        return settings

    def sealing_settings(self) -> SealingSettings:
        """Return how archives are sealed and opened; warn of files with keys that others can read or change.

        :raises OptionError: a recipient can't be used.
        """
        self.module.no_log_values.update(filter(is_secret, self.params.get("encrypt_to") or ()))
        settings = sealing_settings(self.params)
        for line in remarks_on_files(settings):
            self.warn(line)
        return settings

    def client_with_token(self, client: Client, option: str) -> Client:
        """Return a client with the token of another option; the same client where that option is not set.

        :raises OptionError: the option does not hold a token.
        """
        if not self.params[option]:
            return client
        token = checked_token(self.params[option], option)
        self.module.no_log_values.add(token)
        return client.with_token(token)


def run_module(spec: Mapping[str, Any], operation: Callable[[Run], dict[str, Any]]) -> None:
    """Run a module: the operation's result, with ``attempts`` and ``duration``, or its failure, is printed once.

    :param spec: the keyword arguments of AnsibleModule. Every module supports check mode.
    :param operation: returns the result; whatever it raises becomes ``msg`` and ``failure``.
    """
    run = Run(AnsibleModule(**{"supports_check_mode": True, **spec}))
    run.module.add_path_info = _with_our_size(run.module.add_path_info)
    try:
        install_signal_handlers()
        result = operation(run)
        ignore_signals()
    except BaseException as error:
        ignore_signals()
        _fail(run, error)
    else:
        run.module.exit_json(**for_people({**_noted(run), "changed": False, **result}))


def _with_our_size(add_path_info: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what adds owner and mode of a file to a result that names one, and leaves the result's own size alone.

    Ansible would put the file's in its place, and that of a sealed archive is not the archive's.
    """

    def add(result: dict[str, Any]) -> dict[str, Any]:
        told = {"size": result["size"]} if "size" in result else {}
        facts = add_path_info(result)
        # In place: AnsibleModule prints the dictionary that it gave, whatever is returned.
        facts.update(told)
        return facts

    return add


def _fail(run: Run, error: BaseException) -> None:
    known = run.so_far()
    message, failure = failure_of(error, known.pop("state", None))
    run.module.fail_json(msg=message, failure=failure, **for_people({**_noted(run), **known}))


def _noted(run: Run) -> dict[str, Any]:
    return {"attempts": run.journal.attempts, "duration": run.journal.duration}
