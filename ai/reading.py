"""From what a model wrote to a valid object: out of its wrapping, into the bounds, through the schema."""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

THOUGHTS = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
END_OF_THOUGHTS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL refuses them
MOST_STARTS = 50  # braces tried as the beginning of an object
MOST_ERRORS = 12  # told to the model
ROUNDS = 3  # of mending: one may uncover another


class Unfit(ValueError):
    """The text is no such object; the message tells the model why."""


def read(schema: type[T], text: str, *, is_last: bool) -> tuple[T, tuple[str, ...]]:
    """The object, and what was moved into the schema's bounds to make it valid. Raises Unfit.

    A number just outside is clamped. One far outside (85 for a share of 0 to 1) was meant otherwise, so the model is
    asked again; only when there is no more asking (`is_last`) it is clamped too.
    """
    value = _clean(_object_in(text))
    adjusted: list[str] = []
    for _ in range(ROUNDS):
        try:
            return schema.model_validate(value), tuple(adjusted)
        except ValidationError as error:
            mended = [said for each in error.errors() if (said := _mend(value, each, is_last=is_last))]
            if len(mended) < error.error_count():
                raise Unfit(_told(error)) from error
            adjusted += mended
    raise Unfit("The answer does not fit the schema.")


def _object_in(text: str) -> dict[str, Any]:
    """The largest JSON object in the text: models add fences, thoughts and good wishes."""
    text = THOUGHTS.sub("", text)
    if END_OF_THOUGHTS.search(text):  # some servers cut the opening tag off
        text = END_OF_THOUGHTS.split(text)[-1]
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    found: dict[str, Any] | None = None
    at, longest = text.find("{"), 0
    for _ in range(MOST_STARTS):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if end - at > longest:
                found, longest = value, end - at
        at = text.find("{", end)
    if found is None:
        raise Unfit("The answer holds no JSON object.")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON.")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {UNSTORABLE.sub("", key): _clean(each) for key, each in value.items()}
    return value


def _mend(value: Any, error: Any, *, is_last: bool) -> str:
    """Move one value into its bounds, in place. What was done, or "" if nothing can be."""
    place, holder = error["loc"], value
    try:
        for step in place[:-1]:
            holder = holder[step]
        before = holder[place[-1]]
    except (KeyError, IndexError, TypeError):
        return ""  # the path leads through a union: it names its branches too
    after = _within(before, error["type"], error.get("ctx", {}), is_last=is_last)
    if after is None:
        return ""
    holder[place[-1]] = after
    name = ".".join(str(step) for step in place)
    if isinstance(before, (int, float)):
        return f"{name}: {before:g} to {after:g}"
    return f"{name}: {len(before)} to {len(after)}"


def _within(value: Any, kind: str, context: dict[str, Any], *, is_last: bool) -> Any:
    """None: not mended."""
    if kind == "too_long" and isinstance(value, list):
        return value[: context["max_length"]]
    if kind == "string_too_long" and isinstance(value, str):
        return _shortened(value, int(context["max_length"]))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    bounds = {"less_than_equal": "le", "greater_than_equal": "ge", "less_than": "lt", "greater_than": "gt"}
    if kind not in bounds:
        return None
    bound = float(context[bounds[kind]])
    if not is_last and abs(value - bound) > max(1.0, abs(bound)):
        return None
    if kind in ("less_than_equal", "greater_than_equal"):
        return int(bound) if bound.is_integer() else bound
    side = -1 if kind == "less_than" else 1
    return int(bound) + side if isinstance(value, int) else math.nextafter(bound, side * math.inf)


def _shortened(text: str, limit: int) -> str:
    """At a word's end, if one is near."""
    cut = text[: max(0, limit - 1)]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip(" ,;:") + "…" if limit else ""


def _told(error: ValidationError) -> str:
    lines = [f"- {'.'.join(map(str, each['loc'])) or 'the object'}: {each['msg']}" for each in error.errors()]
    more = [f"- and {len(lines) - MOST_ERRORS} more"] if len(lines) > MOST_ERRORS else []
    return "\n".join(lines[:MOST_ERRORS] + more)
