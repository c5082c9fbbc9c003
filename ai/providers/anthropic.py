"""Anthropic's Messages API (version 2023-06-01), with structured output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..answer import Question, Reply, Stop
from .protocol import Dialect, NotAReply, count, system_of

STOPS = {"max_tokens": Stop.TRUNCATED, "model_context_window_exceeded": Stop.TRUNCATED, "refusal": Stop.DECLINED}


class Anthropic:
    path = "/v1/messages"
    batches_path: str | None = "/v1/messages/batches"

    def headers(self, api_key: str) -> dict[str, str]:
        return {"x-api-key": api_key, "anthropic-version": "2023-06-01"}

    def body(self, model: str, question: Question, dialect: Dialect) -> dict[str, Any]:
        sent: dict[str, Any] = {
            "model": model,
            "max_tokens": question.max_tokens,
            "messages": [{"role": turn.role, "content": turn.text} for turn in question.turns],
        }
        if system := system_of(question, dialect):
            sent["system"] = system
        if dialect.output == "json_schema":
            sent["output_config"] = {"format": {"type": "json_schema", "schema": question.json_schema}}
        return sent

    def reply(self, document: Mapping[str, Any]) -> Reply:
        blocks, usage = document.get("content"), document.get("usage") or {}
        if not isinstance(blocks, list) or "stop_reason" not in document:
            raise NotAReply
        text = "".join(
            block["text"] for block in blocks if block.get("type") == "text" and isinstance(block["text"], str)
        )
        parts = [usage.get(f"{part}input_tokens") for part in ("", "cache_creation_", "cache_read_")]
        tokens_in = None if count(parts[0]) is None else sum(count(part) or 0 for part in parts)
        stop = STOPS.get(str(document["stop_reason"]), Stop.END)
        return Reply(text, stop, str(document.get("model", "")), tokens_in, count(usage.get("output_tokens")))

    def simpler(self, dialect: Dialect, complaint: str) -> Dialect | None:
        if dialect.output == "json_schema" and any(
            word in complaint for word in ("output_config", "output_format", "schema", "structured")
        ):
            return replace(dialect, output="words")
        return None
