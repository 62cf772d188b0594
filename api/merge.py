"""JSON Merge Patch, RFC 7396, as the RFC states it."""

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` with the patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
