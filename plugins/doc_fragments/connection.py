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
      - V(host:port), V([::1]:8500), V(https://host:8501/path) and V(unix:///path) are accepted, too. The default port
        of a URL is V(80) or V(443). A port or a scheme that contradicts O(port) or O(scheme) is refused.
      - By default, and without O(unix_socket), the environment variable E(CONSUL_HTTP_ADDR) is used, then V(localhost).
      - If O(host), O(port) or O(unix_socket) is set, E(CONSUL_HTTP_ADDR) is ignored.
      - E(CONSUL_HTTP_ADDR) is interpreted as the C(consul) command does it. Its default port is V(80), or V(443) with
        HTTPS. It can have a path, for an API behind a reverse proxy.
    type: str
  port:
    description:
      - Port of the HTTP API.
      - By default, the port in O(host) or E(CONSUL_HTTP_ADDR), then V(8500).
    type: int
  scheme:
    description:
      - Protocol of the HTTP API.
      - By default, the scheme in O(host), E(CONSUL_HTTP_ADDR) and E(CONSUL_HTTP_SSL), then V(http).
      - If neither this option nor O(host) names a scheme, the environment can turn V(http) into V(https), but never the
        other way round.
    type: str
    choices: [http, https]
  unix_socket:
    description:
      - Path of the Unix socket of the HTTP API, instead of O(host) and O(port).
      - By default, a C(unix://) address in E(CONSUL_HTTP_ADDR).
    type: path
  token:
    description:
      - ACL token. Taking and restoring snapshots needs C(acl = "write").
      - White space around it is removed.
      - If neither O(token) nor O(token_file) is set, E(CONSUL_HTTP_TOKEN) is used.
    type: str
  token_file:
    description:
      - File on the host the module runs on that contains the ACL token and nothing else.
      - If neither O(token) nor O(token_file) is set, E(CONSUL_HTTP_TOKEN_FILE) is used. It has precedence over
        E(CONSUL_HTTP_TOKEN), as with the C(consul) command.
    type: path
  validate_certs:
    description:
      - Whether the server's certificate must be valid for its name and signed by a trusted CA.
      - By default, the value of E(CONSUL_HTTP_SSL_VERIFY), then V(true).
    type: bool
  ca_path:
    description:
      - File or directory with the trusted CA certificates in PEM format. They replace those that the requests library
        trusts.
      - In a directory, all files with a certificate are used, at any depth and with any name. The directory need not be
        hashed.
      - By default, E(CONSUL_CACERT), then E(CONSUL_CAPATH).
    type: path
  client_cert:
    description:
      - Client certificate for mutual TLS, in PEM format. The file may contain its key, too.
      - By default, E(CONSUL_CLIENT_CERT).
    type: path
  client_key:
    description:
      - Key of O(client_cert), in PEM format. A key with a passphrase is refused.
      - By default, E(CONSUL_CLIENT_KEY).
    type: path
  tls_server_name:
    description:
      - Name to send to the server (SNI) and to expect in its certificate, if it is not O(host).
      - By default, E(CONSUL_TLS_SERVER_NAME).
    type: str
  timeout:
    description:
      - Seconds to wait for each operation on the socket before the connection is given up.
      - A server prepares the whole snapshot before it sends the first byte. The timeout must be longer than that takes.
        Connecting, and the small requests before the snapshot, wait for 30 seconds at most.
    type: int
    default: 300
  retries:
    description:
      - Number of retries after a temporary failure, such as a response that was cut short, a rate limit, or a missing
        leader. A warning reports each retry.
      - A snapshot that is being restored is never sent twice.
    type: int
    default: 3
  retry_delay:
    description:
      - Seconds to wait before the first retry. The delay doubles with each retry, up to 30 seconds.
    type: float
    default: 1.0
notes:
  - Environment variables are read on the host the module runs on. An empty variable counts as not set.
  - E(CONSUL_HTTP_AUTH), V(user:password), is sent to a reverse proxy that requires basic authentication.
  - E(CONSUL_NAMESPACE) and E(CONSUL_PARTITION) are ignored, because a snapshot contains all namespaces and partitions.
  - Proxies in the environment and credentials in C(.netrc) are not used.
seealso:
  - name: Consul's HTTP API for snapshots
    description: The API that the modules of this collection use.
    link: https://developer.hashicorp.com/consul/api-docs/snapshot
"""
