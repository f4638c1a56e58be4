# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """How a store in a bucket is reached; the options themselves are in module_utils/_ansible/store_options.py."""

    DOCUMENTATION = r"""
requirements:
  - boto3 >= 1.26, only for C(s3://)
  - google-cloud-storage >= 2.14, only for C(gs://)
  - azure-storage-blob >= 12.13, only for C(az://), and azure-identity without a key, a SAS token or a connection string
options:
  store:
    description:
      - How to reach a bucket, if a URL such as V(s3://bucket/prefix/), V(gs://bucket/prefix/) or
        V(az://container/prefix/) is given in place of a path. A local path, or V(file:///path), needs no settings.
      - Without credentials here, the provider's own library finds them, on the host the module runs on; see the notes.
      - A setting that has no effect for the kind of store is refused.
    type: dict
    suboptions:
      endpoint_url:
        description:
          - URL of the service, if it is not the provider's own, such as V(https://s3.example.com:9000).
        type: str
      region:
        description: Region of the bucket. Only for C(s3://).
        type: str
      profile:
        description: Profile of the AWS configuration files with the credentials. Only for C(s3://).
        type: str
      access_key:
        description: Access key id. Only for C(s3://).
        type: str
      secret_key:
        description: Secret access key. Only for C(s3://).
        type: str
      session_token:
        description: Session token of temporary credentials. Only for C(s3://).
        type: str
      ca_path:
        description:
          - File with the trusted CA certificates in PEM format, in place of those that the provider's library trusts.
        type: path
      validate_certs:
        description: Whether the certificate of the service must be valid for its name and signed by a trusted CA.
        type: bool
        default: true
      addressing_style:
        description:
          - Whether the bucket's name is part of the host name (V(virtual)) or of the path (V(path)). V(auto) leaves it
            to the library. Most services other than AWS need V(path). Only for C(s3://).
        type: str
        choices: [auto, path, virtual]
        default: auto
      storage_class:
        description:
          - Storage class, or access tier, of new archives, as the provider names it. An archive in a class that must
            be thawed first, such as V(GLACIER), can't be restored at once.
        type: str
      sse:
        description: Server-side encryption of new archives. Only for C(s3://). It does not replace sealing.
        type: str
        choices: [AES256, "aws:kms", "aws:kms:dsse"]
      sse_kms_key_id:
        description: Key of the provider's key management service for O(store.sse).
        type: str
      object_lock:
        description:
          - Lock each new archive, its manifest and its signature, so that nobody can remove or overwrite them. The
            bucket must have been created with object lock. A confirmation of the archive extends the lock.
        type: dict
        suboptions:
          mode:
            description: V(COMPLIANCE) binds everybody. V(GOVERNANCE) can be lifted with a special permission.
            type: str
            choices: [GOVERNANCE, COMPLIANCE]
            required: true
          days:
            description: Days from the save, or from its last confirmation.
            type: int
            required: true
      account_url:
        description:
          - URL of the storage account, such as V(https://account.blob.core.windows.net). Required for C(az://), unless
            O(store.connection_string) is set.
        type: str
      account_key:
        description: Key of the storage account. Only for C(az://).
        type: str
      sas_token:
        description: Shared access signature. Only for C(az://).
        type: str
      connection_string:
        description: Connection string of the storage account. Only for C(az://).
        type: str
      project:
        description: Project to bill for requests. Only for C(gs://).
        type: str
      credentials_file:
        description: Key file of a service account, in JSON format. Only for C(gs://).
        type: path
      timeout:
        description: Seconds to wait for a connection and for each response.
        type: int
        default: 60
      retries:
        description:
          - Number of retries after a temporary failure, such as a connection that was cut or a rate limit. The delay
            grows with each retry.
        type: int
        default: 3
notes:
  - "Without credentials in O(store), these are used, as the provider documents them: for C(s3://),
    E(AWS_ACCESS_KEY_ID), E(AWS_SECRET_ACCESS_KEY), E(AWS_SESSION_TOKEN), E(AWS_PROFILE), the files in C(~/.aws), and
    the role of the instance; for C(gs://), E(GOOGLE_APPLICATION_CREDENTIALS) and the service account of the instance;
    for C(az://), E(AZURE_CLIENT_ID), E(AZURE_TENANT_ID), E(AZURE_CLIENT_SECRET), and the managed identity."
  - C(docs/stores.md) lists the permissions that each task needs, for each provider.
"""

    # The same options for a second store. With its type: ansible-test reads texts alone among plain assignments.
    DEST: str = (
        DOCUMENTATION.partition("notes:")[0]
        .replace("O(store.", "O(dest_store.")
        .replace("\n  store:", "\n  dest_store:")
    )
