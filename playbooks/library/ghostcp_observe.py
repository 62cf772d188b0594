#!/usr/bin/python
"""Observe resources of this host: one batch in, one batch out."""

DOCUMENTATION = """
---
module: ghostcp_observe
short_description: Observe resources of a managed host in one batch
description:
  - Compares the digests of wanted resources with what is there, and returns in full only what differs.
  - Use it through the C(ghostcp_batch) action, which keeps contents out of Ansible's output.
options:
  payload:
    description: The request, JSON compressed with zlib, in base64.
    type: str
    required: true
author: GhostCP
"""

EXAMPLES = """
- name: Observe
  ghostcp_batch:
    module: ghostcp_observe
    request: /run/ghostcp/request.json
    response: /run/ghostcp/response.json
"""

RETURN = """
response:
  description: The response, packed like the request.
  returned: success
  type: str
"""

from ansible.module_utils.ghostcp import batch, observe  # noqa: E402


def main() -> None:
    batch.answer(observe.observe)


if __name__ == "__main__":
    main()
