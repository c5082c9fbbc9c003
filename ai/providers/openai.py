"""Servers that speak OpenAI's chat completions: its own, and most that run open models (vLLM, llama.cpp, Ollama, …)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..answer import Question, Reply, Stop
from .protocol import Dialect, NotAReply, Output, count, system_of

SIMPLER: dict[Output, Output] = {"json_schema": "json_object", "json_object": "words"}
COMPLAINTS = ("response_format", "json_schema", "json_object", "schema", "strict", "grammar", "guided", "extra")
STOPS = {"length": Stop.TRUNCATED, "content_filter": Stop.DECLINED}


class OpenAI:
    path = "/v1/chat/completions"
    batches_path: str | None = None

    def headers(self, api_key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {api_key}"} if api_key else {}

    def body(self, model: str, question: Question, dialect: Dialect) -> dict[str, Any]:
        messages = [{"role": turn.role, "content": turn.text} for turn in question.turns]
        if system := system_of(question, dialect):
            messages.insert(0, {"role": "system", "content": system})
        sent: dict[str, Any] = {"model": model, "messages": messages, dialect.length_field: question.max_tokens}
        if dialect.output == "json_schema":
            described = {"name": question.schema_name, "schema": question.json_schema, "strict": True}
            sent["response_format"] = {"type": "json_schema", "json_schema": described}
        elif dialect.output == "json_object":
            sent["response_format"] = {"type": "json_object"}
        return sent

    def reply(self, document: Mapping[str, Any]) -> Reply:
        try:
            choice = document["choices"][0]
            message = choice["message"]
            content = message.get("content")
        except (KeyError, IndexError, TypeError, AttributeError):
            raise NotAReply from None
        if isinstance(content, list):
            content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
        stop = STOPS.get(str(choice.get("finish_reason")), Stop.END)
        stop = Stop.DECLINED if message.get("refusal") else stop
        usage = document.get("usage") or {}
        tokens = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
        return Reply(str(content or ""), stop, str(document.get("model", "")), *tokens)

    def simpler(self, dialect: Dialect, complaint: str) -> Dialect | None:
        if "max_completion_tokens" in complaint and dialect.length_field == "max_tokens":
            return replace(dialect, length_field="max_completion_tokens")
        if dialect.output in SIMPLER and any(word in complaint for word in COMPLAINTS):
            return replace(dialect, output=SIMPLER[dialect.output])
        return None
