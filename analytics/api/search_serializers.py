"""Shapes of search and answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..services.answering import Answered
from ..services.searching import Found, Hit


class HitSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    entity_type = serializers.CharField()
    name = serializers.CharField()
    code = serializers.CharField()
    url = serializers.CharField()
    excerpt = serializers.CharField()
    highlights = serializers.ListField(
        child=serializers.CharField(), help_text="Words of name and excerpt that were asked for, as they stand there."
    )
    is_exact = serializers.BooleanField(help_text="Its code or its name was asked for.")
    score = serializers.FloatField(help_text="Of the fused rankings; for ordering only.")


class FoundSerializer(serializers.Serializer[Any]):
    results = HitSerializer(many=True)
    count = serializers.IntegerField(help_text="Candidates looked at.")
    is_capped = serializers.BooleanField(help_text="There may be more.")
    retrieval = serializers.CharField(help_text='How they were found: "code + words + meaning", "nothing".')
    took_ms = serializers.FloatField()


class QuestionSerializer(serializers.Serializer[Any]):
    question = serializers.CharField(trim_whitespace=False, allow_blank=True)


class AnswerEntitySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    entity_type = serializers.CharField()
    url = serializers.CharField()


class AnswerSourceSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    url = serializers.CharField()
    passage = serializers.CharField()


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.CharField()
    entities = AnswerEntitySerializer(many=True)
    sources = AnswerSourceSerializer(many=True)
    is_extract = serializers.BooleanField(help_text="The answer is the best passage as it stands; no model spoke.")
    answered_by = serializers.ChoiceField(
        choices=["model", "extract", "nobody"], help_text="nobody: nothing that is indexed answers this."
    )
    model = serializers.CharField(help_text='Which one worded it, or says that nothing answers this; "" for none.')
    remark = serializers.CharField(help_text='Why the model that was asked did not word it; "" where it did.')
    is_found = serializers.BooleanField(help_text="False: nothing answers this, and the answer says so.")
    retrieval = serializers.CharField()
    took_ms = serializers.FloatField()


def told_hit(hit: Hit) -> dict[str, Any]:
    pieces = [*hit.name_pieces, *hit.excerpt_pieces]
    return {
        "id": str(hit.id),
        "entity_type": hit.entity_type,
        "name": hit.name,
        "code": hit.code,
        "url": hit.url,
        "excerpt": hit.excerpt,
        "highlights": list(dict.fromkeys(text for text, is_marked in pieces if is_marked)),
        "is_exact": hit.is_exact,
        "score": hit.score,
    }


def told_found(found: Found, took_ms: float) -> dict[str, Any]:
    return {
        "results": [told_hit(hit) for hit in found.hits],
        "count": found.count,
        "is_capped": found.is_capped,
        "retrieval": found.retrieval,
        "took_ms": took_ms,
    }


def told_answer(answered: Answered) -> dict[str, Any]:
    shown = [each.entity for each in answered.sources]
    return {
        "answer": answered.answer,
        "entities": [
            {"id": str(each.id), "name": each.name, "entity_type": each.entity_type, "url": each.url} for each in shown
        ],
        "sources": [
            {"title": each.entity.name, "url": each.entity.url, "passage": each.passage} for each in answered.sources
        ],
        "is_extract": answered.is_extract,
        "answered_by": answered.answered_by,
        "model": answered.model,
        "remark": answered.remark,
        "is_found": answered.is_found,
        "retrieval": answered.retrieval,
        "took_ms": answered.took_ms,
    }
