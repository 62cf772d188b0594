#!/usr/bin/python
"""Remove from quarantine what one apply had put there."""

DOCUMENTATION = """
---
module: ghostcp_purge
short_description: Remove from quarantine what one apply had put there
description:
  - Removes what was deleted on a given run and has been kept in quarantine since. This cannot be undone.
options:
  payload:
    description: The request, JSON compressed with zlib, in base64.
    type: str
    required: true
author: GhostCP
"""

EXAMPLES = """
- name: Purge
  ghostcp_batch:
    module: ghostcp_purge
    request: /run/ghostcp/request.json
    response: /run/ghostcp/response.json
"""

RETURN = """
response:
  description: The response, packed like the request.
  returned: success
  type: str
"""

from ansible.module_utils.ghostcp import batch, purge  # noqa: E402


def main() -> None:
    batch.answer(purge.purge)


if __name__ == "__main__":
    main()
