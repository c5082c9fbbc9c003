"""Shapes of the chat's API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..models import ChatMessage


class CitationSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="document, position, finding, version, section or clause.")
    id = serializers.CharField()
    title = serializers.CharField()
    place = serializers.CharField(help_text='"page 3", "SO 1!A11", a clause’s number.')
    quote = serializers.CharField(help_text="As it stands there.")
    url = serializers.CharField()


class ChatMessageSerializer(serializers.ModelSerializer[ChatMessage]):
    author = serializers.SerializerMethodField(help_text="Who asked; empty for answers.")
    citations = CitationSerializer(many=True, read_only=True)
    source = serializers.CharField(  # type: ignore[assignment] # a name that serializers have too
        read_only=True,
        help_text="computed (by the database), model (worded from the citations), extract (as it stands), nobody "
        "(nothing supports an answer), proposal, or clarify: a question back. Empty for questions.",
    )
    how = serializers.SerializerMethodField(help_text="Of a computed answer: what was computed from what.")
    remark = serializers.SerializerMethodField(help_text="Why an answer is less than it could be.")
    model = serializers.SerializerMethodField(help_text="Which model worded it; empty for none.")
    table = serializers.SerializerMethodField()
    candidates = serializers.SerializerMethodField(help_text="Of a question back: messages that leave nothing open.")
    changes = serializers.SerializerMethodField(help_text="Of a proposal: how many positions, and what it costs.")
    question_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = ChatMessage
        fields = [
            "id", "role", "author", "message", "type", "status", "source", "model", "confidence", "how", "remark",
            "table", "citations", "candidates", "question_id", "job_id", "proposal", "based_on_version",
            "applied_version", "changes", "decided_at", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_author(self, message: ChatMessage) -> str:
        return message.author.get_full_name() or message.author.get_username() if message.author else ""

    def get_how(self, message: ChatMessage) -> str:
        return str(message.context.get("how", ""))

    def get_remark(self, message: ChatMessage) -> str:
        return str(message.context.get("remark", ""))

    def get_model(self, message: ChatMessage) -> str:
        return str(message.context.get("model", ""))

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": True})
    def get_table(self, message: ChatMessage) -> Any:
        return message.context.get("table")

    @extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}})
    def get_candidates(self, message: ChatMessage) -> Any:
        return message.context.get("candidates", [])

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": True})
    def get_changes(self, message: ChatMessage) -> Any:
        if not message.proposal:
            return None
        kept = ("count", "delta", "total_before", "total_after", "needs_confirming")
        return {name: message.context.get(name) for name in kept}


class ChatMessageDetailSerializer(ChatMessageSerializer):
    actions = serializers.JSONField(read_only=True, help_text="Of a proposal: each position with before and after.")

    class Meta(ChatMessageSerializer.Meta):
        fields = [*ChatMessageSerializer.Meta.fields, "actions"]
        read_only_fields = fields


class AskSerializer(serializers.Serializer[Any]):
    message = serializers.CharField(
        trim_whitespace=False, allow_blank=True, help_text="A question, or what is to be changed: 4,000 characters."
    )


class ApplySerializer(serializers.Serializer[Any]):
    confirm = serializers.BooleanField(default=False, help_text="Needed for more than 500 positions.")


class ExchangeSerializer(serializers.Serializer[Any]):
    question = ChatMessageSerializer()
    answer = ChatMessageSerializer(help_text="Waiting; look it up, or hear project:{id}.")
    job_id = serializers.UUIDField()
