# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters for people and molecule: ``python -m lab up --directory D`` leaves servers behind, ``down`` ends them."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import binaries, statefile
from .cluster import Cluster
from .comparison import Row, compare, losses, table
from .errors import LabError
from .oracle import Observation, observe
from .seed import seed

Command = Callable[[argparse.Namespace], int]


def up(options: argparse.Namespace) -> int:
    """Make a cluster, or start the servers of one that is there, and leave them running."""
    if (options.directory / statefile.NAME).exists():
        cluster = Cluster.from_directory(options.directory)
    else:
        tokens = Cluster.from_directory(options.tokens_from).tokens if options.tokens_from else None
        cluster = Cluster(
            options.directory,
            version=options.version,
            binary=options.binary,
            servers=options.servers,
            datacenter=options.datacenter,
            acl=options.acl,
            tokens=tokens,
            tls=options.tls or options.https_client_certs,
            https_client_certs=options.https_client_certs,
            http=options.http,
            unix_socket=options.unix_socket,
            gossip=options.gossip,
            connect=options.connect,
            name_prefix=options.name_prefix,
            detached=True,
        )
    try:
        cluster.start()
        seconds = cluster.wait_ready()
    except BaseException:
        cluster.stop()
        raise
    print(f"ready after {seconds:.1f} s")
    _show(cluster)
    return 0


def status(options: argparse.Namespace) -> int:
    """Show the servers; 1 when one of them does not run."""
    cluster = Cluster.from_directory(options.directory)
    _show(cluster)
    return 0 if all(server.running for server in cluster.servers) else 1


def do_seed(options: argparse.Namespace) -> int:
    """Store what real clusters hold."""
    stored = seed(Cluster.from_directory(options.directory), keys=options.keys, rng_seed=options.rng_seed)
    for kind, count in sorted(stored.counts().items()):
        print(f"{kind:<20}{count:>8}")
    print(f"stored in {stored.seconds:.1f} s")
    return 0


def do_observe(options: argparse.Namespace) -> int:
    """Write what the cluster holds: names and digests, no value."""
    seen = observe(Cluster.from_directory(options.directory))
    statefile.write_private(options.to, json.dumps(seen, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    print(f"{sum(map(len, seen.values()))} objects of {sum(map(bool, seen.values()))} types written to {options.to}")
    return 0


def do_compare(options: argparse.Namespace) -> int:
    """Compare two observations; 1 when something durable is missing or different."""
    rows = compare(_read(options.before), _read(options.after))
    print(table(rows))
    lost = losses(rows)
    for row in lost:
        print(_names(row))
    return 1 if lost else 0


def kill(options: argparse.Namespace) -> int:
    """SIGKILL all servers."""
    Cluster.from_directory(options.directory).kill()
    return 0


def wipe(options: argparse.Namespace) -> int:
    """Delete the data of stopped servers."""
    Cluster.from_directory(options.directory).wipe()
    return 0


def upgrade(options: argparse.Namespace) -> int:
    """Run another Consul on the same data, one server after the other."""
    Cluster.from_directory(options.directory).upgrade(options.version)
    return 0


def where(options: argparse.Namespace) -> int:
    """Print the path of a Consul binary."""
    print(binaries.consul(options.version))
    return 0


def down(options: argparse.Namespace) -> int:
    """Stop all servers; with --remove delete the directory too. Nothing to stop is fine."""
    if (options.directory / statefile.NAME).exists():
        Cluster.from_directory(options.directory).stop()
        if options.remove:
            shutil.rmtree(options.directory)
    return 0


def _show(cluster: Cluster) -> None:
    print(f"Consul {cluster.version}, datacenter {cluster.datacenter}, state in {cluster.directory / statefile.NAME}")
    for server in cluster.servers:
        state = f"pid {server.pid}" if server.running else "not running"
        print(f"  {server.name:<20}{server.address():<32}{state}")


def _read(path: Path) -> Observation:
    try:
        seen: Observation = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"{path} holds no observation: {error}") from None
    return seen


def _names(row: Row, limit: int = 10) -> str:
    parts = []
    for word, names in (("missing", row.missing), ("different", row.different)):
        if names:
            more = f" and {len(names) - limit} more" if len(names) > limit else ""
            parts.append(f"{word}: {', '.join(names[:limit])}{more}")
    return f"{row.type}: {'; '.join(parts)}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = result.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, *, directory: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        made.set_defaults(run=run)
        if directory:
            made.add_argument("--directory", type=Path, required=True, help="where the cluster lives")
        return made

    start = command("up", up)
    start.add_argument("--version", default=binaries.NEW, help="Consul version (default: %(default)s)")
    start.add_argument("--binary", type=Path, help="a Consul binary in place of the laboratory's own")
    start.add_argument("--servers", type=int, default=3, help="how many (default: %(default)s)")
    start.add_argument("--datacenter", default="dc1")
    start.add_argument("--name-prefix", default="server", help="servers are PREFIX-1 … (default: %(default)s)")
    start.add_argument("--tokens-from", type=Path, metavar="DIRECTORY", help="use the tokens of the cluster there")
    start.add_argument("--tls", action="store_true", help="HTTPS, and TLS between servers")
    start.add_argument("--https-client-certs", action="store_true", help="HTTPS asks for client certificates")
    start.add_argument("--gossip", action="store_true", help="encrypt gossip")
    start.add_argument("--unix-socket", action="store_true", help="serve HTTP on a unix socket as well")
    start.add_argument("--no-http", dest="http", action="store_false", help="no plain HTTP port")
    start.add_argument("--no-acl", dest="acl", action="store_false", help="no ACLs")
    start.add_argument("--no-connect", dest="connect", action="store_false", help="no Connect")

    command("status", status)
    fill = command("seed", do_seed)
    fill.add_argument("--keys", type=int, default=1000, help="how many keys (default: %(default)s)")
    fill.add_argument("--rng-seed", type=int, default=1)
    command("observe", do_observe).add_argument("--to", type=Path, required=True, metavar="FILE")
    both = command("compare", do_compare, directory=False)
    both.add_argument("before", type=Path)
    both.add_argument("after", type=Path)
    command("kill", kill)
    command("wipe", wipe)
    command("upgrade", upgrade).add_argument("--version", required=True, help="Consul version to come")
    command("where", where, directory=False).add_argument("--version", default=binaries.NEW, help="Consul version")
    command("down", down).add_argument("--remove", action="store_true", help="delete the directory")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    options = parser().parse_args(arguments)
    # Ended from outside, a start must still clean up the servers it has started so far.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        result: int = options.run(options)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return result


if __name__ == "__main__":
    sys.exit(main())
