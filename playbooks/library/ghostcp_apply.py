#!/usr/bin/python
"""Change resources of this host: one batch in, one batch out."""

DOCUMENTATION = """
---
module: ghostcp_apply
short_description: Apply a plan's changes to a managed host in one batch
description:
  - Makes accounts, directories and files; stages configurations, has them judged and makes them live at once;
    reloads services; removes what is to go; and observes again what it touched.
  - In check mode the configurations are only judged.
  - Use it through the C(ghostcp_batch) action, which keeps contents out of Ansible's output.
options:
  payload:
    description: The request, JSON compressed with zlib, in base64.
    type: str
    required: true
author: GhostCP
"""

EXAMPLES = """
- name: Apply
  ghostcp_batch:
    module: ghostcp_apply
    request: /run/ghostcp/request.json
    response: /run/ghostcp/response.json
"""

RETURN = """
response:
  description: The response, packed like the request.
  returned: success
  type: str
"""

from ansible.module_utils.ghostcp import apply, batch  # noqa: E402


def main() -> None:
    batch.answer(apply.apply)


if __name__ == "__main__":
    main()
