# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes for apt, dnf and systemd in docs/hooks.md, carried out as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.playbooks import Ansible, hosts_of

from lab import Cluster

from .conftest import blocks

PLACE = re.compile(r"^(?:#|//) (/\S+)$", re.MULTILINE)


def recipes() -> dict[str, str]:
    """Return the files in docs/hooks.md, by the path that each one names in its first lines."""
    found = {}
    for block in blocks():
        place = PLACE.search(block)
        if place:
            found[place.group(1)] = block
    return found


def requires(*programs: str) -> pytest.MarkDecorator:
    """A test for which this machine needs these programs."""
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"this machine has no {', '.join(missing)}")


class Apt:
    """apt with a system of its own below a directory: its packages, its hooks, nothing of this machine's."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.root = directory / "root"
        self.directory = directory
        for made in ("root/var/lib/dpkg/info", "root/var/lib/dpkg/updates", "apt/state/lists/partial", "apt/etc"):
            (directory / made).mkdir(parents=True)
        for made in (
            "apt/cache/archives/partial",
            "apt/log",
            "apt/etc/apt.conf.d",
            "apt/etc/sources.list.d",
            "apt/etc/preferences.d",
        ):
            (directory / made).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        self._config = directory / "apt.conf"
        self._config.write_text(
            "\n".join(
                [
                    f'Dir::State "{directory}/apt/state";',
                    f'Dir::State::status "{self.root}/var/lib/dpkg/status";',
                    f'Dir::Cache "{directory}/apt/cache";',
                    f'Dir::Log "{directory}/apt/log";',
                    f'Dir::Etc "{directory}/apt/etc";',
                    'APT::Sandbox::User "";',
                    'APT::Architecture "all";',
                    f'DPkg::Options {{ "--root={self.root}"; "--force-script-chrootless"; "--force-not-root"; }};',
                ]
            ),
            encoding="utf-8",
        )
        self._environment = {**environment, "APT_CONFIG": str(self._config)}

    def configure(self, hook: str) -> None:
        """Add a file of the configuration."""
        with self._config.open("a", encoding="utf-8") as config:
            config.write(f"\n{hook}")

    def build(self, name: str, version: str) -> Path:
        """Make a package that holds one file, which says its version."""
        tree = self.directory / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\n"
            "Description: made for a test\n",
            encoding="utf-8",
        )
        (tree / "opt").mkdir()
        (tree / "opt" / name).write_text(version, encoding="utf-8")
        package = self.directory / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(package)], check=True)
        return package

    def install(self, package: Path) -> subprocess.CompletedProcess[str]:
        """Install a package as users do."""
        # In a namespace of its own where it is not root's, so that dpkg may give files their owner.
        alone = [] if os.geteuid() == 0 else ["unshare", "-r"]
        return subprocess.run(
            [*alone, "apt-get", "install", "--yes", str(package)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self, name: str) -> str | None:
        """Return the version of a package, by what is on the disk."""
        path = self.root / "opt" / name
        return path.read_text(encoding="utf-8") if path.exists() else None


SPEC = """Name: {name}
Version: {version}
Release: 1
Summary: made for a test
License: none
BuildArch: noarch
%description
made for a test
%install
mkdir -p %{{buildroot}}/opt
echo -n {version} > %{{buildroot}}/opt/{name}
%files
/opt/{name}
"""


class Dnf:
    """dnf 4 with a system of its own below a directory: its packages, its plugins, nothing of this machine's."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.root = directory / "root"
        self.plugins = directory / "plugins"
        self.directory = directory
        # dnf puts the directory of its logs below the root.
        for made in (self.plugins, self.root, directory / "repos", Path(f"{self.root}{directory}/log")):
            made.mkdir(parents=True)
        self._config = directory / "dnf.conf"
        settings = {
            "reposdir": directory / "repos",
            "cachedir": directory / "cache",
            "persistdir": directory / "persist",
            "logdir": directory / "log",
            "pluginpath": self.plugins,
            "gpgcheck": 0,
        }
        lines = [f"{name}={value}" for name, value in settings.items()]
        self._config.write_text("\n".join(["[main]", *lines, ""]), encoding="utf-8")
        self._environment = {**environment, "PATH": f"{environment['PATH']}:{os.environ['PATH']}"}

    def build(self, name: str, version: str) -> Path:
        """Make a package that holds one file, which says its version."""
        spec = self.directory / f"{name}-{version}.spec"
        spec.write_text(SPEC.format(name=name, version=version), encoding="utf-8")
        places = [f"_topdir {self.directory}/build", f"_rpmdir {self.directory}/built"]
        options = [word for place in places for word in ("--define", place)]
        subprocess.run(["rpmbuild", "-bb", "--quiet", *options, str(spec)], check=True, env=self._environment)
        return self.directory / "built" / "noarch" / f"{name}-{version}-1.noarch.rpm"

    def install(self, package: Path) -> subprocess.CompletedProcess[str]:
        """Install a package as users do."""
        return subprocess.run(
            [
                "dnf",
                "-c",
                str(self._config),
                f"--installroot={self.root}",
                "--releasever=1",
                "-y",
                "install",
                str(package),
            ],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self, name: str) -> str | None:
        """Return the version of a package, by what is on the disk."""
        path = self.root / "opt" / name
        return path.read_text(encoding="utf-8") if path.exists() else None


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that can be upgraded."""
    with Cluster(tmp_path / "cluster", servers=1, name_prefix="hooked") as running:
        yield running


@pytest.fixture
def programs(tmp_path: Path, cluster: Cluster) -> dict[str, str]:
    """An environment as a hook finds it, with an ansible-playbook that reads this cluster's inventory."""
    made = tmp_path / "ansible"
    made.mkdir()
    ansible = Ansible(made, [cluster.tokens.initial_management])
    kept = {"backup_dir": str(tmp_path / "kept"), "backup_min_failure_tolerance": 0}
    inventory = ansible.inventory(hosts_of(cluster), **kept)
    shutil.copy(inventory, tmp_path / "inventory.yml")
    return {
        **{name: value for name, value in os.environ.items() if name.startswith(("ANSIBLE_", "PYTHONPATH"))},
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(tmp_path),
    }


def put_in_place(tmp_path: Path, name: str) -> str:
    """Write a recipe's script below the test's directory and return its configuration for apt, both with its paths."""
    found = recipes()
    config = found[f"/etc/apt/apt.conf.d/{name}"]
    put_script_in_place(tmp_path)
    return at(tmp_path, config)


def put_script_in_place(tmp_path: Path) -> None:
    """Write the script that the hooks of apt and dnf have in common."""
    script = tmp_path / "consul-pre-upgrade"
    script.write_text(at(tmp_path, recipes()["/usr/local/sbin/consul-pre-upgrade"]), encoding="utf-8")
    script.chmod(0o755)


def at(tmp_path: Path, text: str) -> str:
    """Let a recipe's paths lead into the test's directory."""
    return text.replace("/etc/consul-backup", str(tmp_path)).replace("/usr/local/sbin", str(tmp_path))


@requires("apt-get", "dpkg-deb")
@pytest.mark.parametrize("consul", ["consul", "consul-enterprise"])
def test_apt_upgrades_consul_when_the_way_back_is_there(
    consul: str, cluster: Cluster, programs: dict[str, str], tmp_path: Path
) -> None:
    apt = Apt(tmp_path / "apt", programs)
    kept = tmp_path / "kept"
    apt.install(apt.build(consul, "1"))
    assert apt.installed(consul) == "1"

    apt.configure(put_in_place(tmp_path, "50consul-pre-upgrade"))
    # What is not Consul's does not wait for Consul.
    done = apt.install(apt.build("consul-template", "1"))
    assert apt.installed("consul-template") == "1", done.stderr
    assert not kept.exists()

    done = apt.install(apt.build(consul, "2"))
    assert apt.installed(consul) == "2", done.stderr
    (kit,) = kept.glob("rollback-*")
    (archive,) = kit.glob("*.snap")
    cluster.cli("snapshot", "inspect", archive)

    # The cluster can't be backed up any more: the old package stays.
    cluster.kill()
    done = apt.install(apt.build(consul, "3"))
    assert done.returncode != 0
    assert apt.installed(consul) == "2"
    assert "nothing can be learned of this cluster" in done.stdout + done.stderr
    assert list(kept.iterdir()) == [kit]


@requires("dnf", "rpmbuild")
@pytest.mark.parametrize("consul", ["consul", "consul-enterprise"])
def test_dnf_upgrades_consul_when_the_way_back_is_there(
    consul: str, cluster: Cluster, programs: dict[str, str], tmp_path: Path
) -> None:
    dnf = Dnf(tmp_path / "dnf", programs)
    kept = tmp_path / "kept"
    dnf.install(dnf.build(consul, "1"))
    assert dnf.installed(consul) == "1"

    put_script_in_place(tmp_path)
    (plugin,) = [text for place, text in recipes().items() if place.endswith("/dnf-plugins/consul_pre_upgrade.py")]
    (dnf.plugins / "consul_pre_upgrade.py").write_text(at(tmp_path, plugin), encoding="utf-8")
    done = dnf.install(dnf.build("consul-template", "1"))
    assert dnf.installed("consul-template") == "1", done.stderr
    assert not kept.exists()

    done = dnf.install(dnf.build(consul, "2"))
    assert dnf.installed(consul) == "2", done.stderr
    (kit,) = kept.glob("rollback-*")

    cluster.kill()
    done = dnf.install(dnf.build(consul, "3"))
    assert done.returncode != 0
    assert dnf.installed(consul) == "2"
    assert "nothing can be learned of this cluster" in done.stdout + done.stderr
    assert list(kept.iterdir()) == [kit]


def test_the_actions_of_dnf_5_are_well_formed() -> None:
    """Nobody runs dnf 5 here. Each line has the five items of the plugin's format, and an error is raised."""
    (text,) = [text for place, text in recipes().items() if place.endswith(".actions")]
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    parts = [line.split(":", 4) for line in lines]
    assert {tuple(part[:3]) for part in parts} == {
        ("pre_transaction", "consul", "in"),
        ("pre_transaction", "consul-enterprise", "in"),
    }
    assert all("raise_error=1" in part[3].split() for part in parts)
    assert {part[4] for part in parts} == {"/usr/local/sbin/consul-pre-upgrade dnf"}


@requires("apt-get", "dpkg-deb")
def test_apt_does_nothing_without_a_backup(cluster: Cluster, programs: dict[str, str], tmp_path: Path) -> None:
    apt = Apt(tmp_path / "apt", programs)
    apt.install(apt.build("other", "1"))
    assert apt.installed("other") == "1"

    apt.configure(put_in_place(tmp_path, "50consul-backup"))
    done = apt.install(apt.build("other", "2"))
    assert apt.installed("other") == "2", done.stderr
    (archive,) = (tmp_path / "kept").glob("*.snap")
    cluster.cli("snapshot", "inspect", archive)

    cluster.kill()
    assert apt.install(apt.build("other", "3")).returncode != 0
    assert apt.installed("other") == "2"


@requires("systemd-analyze")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    units = {Path(name): text for name, text in recipes().items() if name.startswith("/etc/systemd/system/")}
    assert len(units) == 3
    for path, text in units.items():
        own = tmp_path / path.relative_to("/etc/systemd/system")
        own.parent.mkdir(exist_ok=True)
        # systemd looks for the program as well.
        own.write_text(text.replace("/usr/bin/ansible-playbook", "/bin/true"), encoding="utf-8")
    service = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
    (tmp_path / "apt-daily-upgrade.service").write_text(service, encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "apt-daily-upgrade.service", "consul-backup.timer"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
