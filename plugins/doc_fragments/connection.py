# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """How a module reaches Consul's HTTP API; the options themselves are in module_utils/_options.py."""

    DOCUMENTATION = r"""
requirements:
  - requests >= 2.25
options:
  host:
    description:
      - Host name or address of a Consul agent, server or client, as seen from the host the module runs on.
      - V(host:port), V([::1]:8500), V(https://host:8501/path) and V(unix:///path) are understood as well. A URL without
        a port means V(80) or V(443). A port or a scheme that contradicts O(port) or O(scheme) is refused.
      - Without it, and without O(unix_socket), the address comes from the environment variable E(CONSUL_HTTP_ADDR),
        and after that it is V(localhost).
      - As soon as O(host), O(port) or O(unix_socket) is set, E(CONSUL_HTTP_ADDR) no longer counts.
      - An address in E(CONSUL_HTTP_ADDR) means what it means to the C(consul) command line. Without a port it is
        V(80), or V(443) with HTTPS. It can have a path, for an API behind a reverse proxy.
    type: str
  port:
    description:
      - Port of the HTTP API.
      - Without it, O(host) or E(CONSUL_HTTP_ADDR) decides, and after that it is V(8500).
    type: int
  scheme:
    description:
      - Protocol of the HTTP API.
      - Without it, O(host), E(CONSUL_HTTP_ADDR) and E(CONSUL_HTTP_SSL) decide, and after that it is V(http).
      - The environment can turn V(http) into V(https) where neither this option nor O(host) names a scheme, and never
        the other way round.
    type: str
    choices: [http, https]
  unix_socket:
    description:
      - Path of the Unix socket on which the HTTP API listens, in place of O(host) and O(port).
      - Falls back on a C(unix://) address in E(CONSUL_HTTP_ADDR).
    type: path
  token:
    description:
      - ACL token. Taking and restoring snapshots needs C(acl = "write").
      - White space around it is removed.
      - Falls back on E(CONSUL_HTTP_TOKEN) when neither O(token) nor O(token_file) is set.
    type: str
  token_file:
    description:
      - File on the host the module runs on that holds the ACL token and nothing else.
      - Falls back on E(CONSUL_HTTP_TOKEN_FILE) when neither O(token) nor O(token_file) is set. That variable wins over
        E(CONSUL_HTTP_TOKEN), as it does with the C(consul) command line.
    type: path
  validate_certs:
    description:
      - Whether the server's certificate must be valid for its name and signed by a CA that is trusted.
      - Without it, E(CONSUL_HTTP_SSL_VERIFY) decides, and after that it is V(true).
    type: bool
  ca_path:
    description:
      - File or directory with the CA certificates to trust, in PEM format, in place of those that the requests library
        trusts.
      - All files in a directory and below it that hold a certificate count, whatever their names are. The directory
        does not have to be hashed.
      - Falls back on E(CONSUL_CACERT), then on E(CONSUL_CAPATH).
    type: path
  client_cert:
    description:
      - Certificate to show to the server (mutual TLS), in PEM format. It may hold its key as well.
      - Falls back on E(CONSUL_CLIENT_CERT).
    type: path
  client_key:
    description:
      - Key of O(client_cert), in PEM format. A key with a passphrase is refused.
      - Falls back on E(CONSUL_CLIENT_KEY).
    type: path
  tls_server_name:
    description:
      - Name to ask for and to expect in the server's certificate, where it is not O(host).
      - Falls back on E(CONSUL_TLS_SERVER_NAME).
    type: str
  timeout:
    description:
      - Seconds that the connection may stand still before it is given up, for each operation on the socket.
      - A server prepares the whole snapshot before it sends the first byte, so this is to be longer than that takes.
        Connecting, and the small questions asked beforehand, wait for 30 seconds of it at most.
    type: int
    default: 300
  retries:
    description:
      - How often something is tried again after a fault that a further try may mend, such as an answer that was cut,
        a rate limit, or no leader yet. Each further try is reported as a warning.
      - A snapshot that is being restored is never sent twice.
    type: int
    default: 3
  retry_delay:
    description:
      - Seconds to wait before the first further try; each one after it waits twice as long, up to 30 seconds.
    type: float
    default: 1.0
notes:
  - Environment variables are read on the host the module runs on, and one that is set but empty counts as not set.
  - E(CONSUL_HTTP_AUTH), V(user:password), is sent to a reverse proxy that requires basic authentication.
  - E(CONSUL_NAMESPACE) and E(CONSUL_PARTITION) are ignored, because a snapshot holds all namespaces and partitions.
  - Proxies named in the environment and credentials in C(.netrc) are not used.
seealso:
  - name: Consul's HTTP API for snapshots
    description: What the modules of this collection call.
    link: https://developer.hashicorp.com/consul/api-docs/snapshot
"""
