"""A pydantic model's JSON schema, as providers take it for structured output.

They take a subset: every object closed and all its properties required, no bounds of numbers, lengths and lists, no
patterns. What is dropped is said in the description instead, and checked here when the answer comes (`reading`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

DROPPED_SILENTLY = ("title", "default", "examples", "discriminator", "uniqueItems")
SAID = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matching {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


@lru_cache(maxsize=64)
def strict(schema: type[BaseModel]) -> Mapping[str, Any]:
    """Raises TypeError for maps with free keys, which providers do not take: use a list of pairs."""
    closed: Mapping[str, Any] = _closed(schema.model_json_schema())
    return closed


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}  # its neighbours are refused by some servers
    kept = {key: value for key, value in node.items() if key not in SAID and key not in DROPPED_SILENTLY}
    closed = {key: _named(value) if key in ("properties", "$defs") else _closed(value) for key, value in kept.items()}
    if "const" in closed:
        closed["enum"] = [closed.pop("const")]
    if "oneOf" in closed:
        closed["anyOf"] = closed.pop("oneOf")
    if bounds := ", ".join(words.format(node[key]) for key, words in SAID.items() if key in node):
        closed["description"] = f"{closed['description']} ({bounds})" if closed.get("description") else bounds
    if closed.get("type") == "object":
        if closed.get("additionalProperties") not in (None, False):
            raise TypeError("A schema for a model can't have a map with free keys: use a list of pairs.")
        closed["additionalProperties"] = False
        closed["required"] = list(closed.setdefault("properties", {}))
    return closed


def _named(schemas: dict[str, Any]) -> dict[str, Any]:
    """A map of schemas: its keys are names, whatever they look like."""
    return {name: _closed(schema) for name, schema in schemas.items()}
