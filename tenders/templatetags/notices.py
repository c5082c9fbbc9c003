"""Tags of the tender pages: `{% load notices %}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone

from accounts.models import Organisation
from accounts.querysets import acting_organisation_id
from jobs.registry import kind_of

from .. import cpv
from ..countries import COUNTRY_NAMES

register = template.Library()

SOON_DAYS = 3
RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")
FLAGS = {
    "title_from_description": "The notice has no title: this one is the first sentence of its description.",
    "title_from_rationale": "The notice has no title: this one is the first sentence of its rationale.",
    "title_missing": "The notice has no title, and nothing to make one of.",
    "deadline_suspicious": "The deadline is more than five years after the publication: check it in the notice.",
    "deadline_without_zone": "The notice does not say in which time zone the deadline is; it is read as UTC.",
    "test_notice": "The publisher calls this a test notice: nothing may be for tender.",
}


# What may make a tender not worth opening; the others are told on its page.
SERIOUS = ("title_missing", "deadline_suspicious", "test_notice")
FACTORS = {
    "cpv": "Kind of work (CPV)",
    "terms": "Words of the profile",
    "region": "Region",
    "country": "Country",
    "value": "Value",
    "deadline": "Deadline",
    "negative_terms": "Words that speak against it",
}
# Of OCDS releases; others are shown as their publisher wrote them.
TAGS = {
    "planning": "Planning",
    "planningUpdate": "Planning, updated",
    "tender": "Tender",
    "tenderAmendment": "Tender, amended",
    "tenderUpdate": "Tender, updated",
    "tenderCancellation": "Tender, cancelled",
    "award": "Award",
    "awardUpdate": "Award, updated",
    "awardCancellation": "Award, cancelled",
    "contract": "Contract",
    "contractUpdate": "Contract, updated",
    "contractAmendment": "Contract, amended",
    "contractTermination": "Contract, ended",
    "implementation": "Implementation",
    "implementationUpdate": "Implementation, updated",
    "compiled": "Compiled by the publisher",
}


@register.filter
def factor_name(name: str) -> str:
    return FACTORS.get(name, name.replace("_", " ").capitalize())


@register.filter
def tag_words(tags: list[str]) -> str:
    return "; ".join(TAGS.get(tag, tag) for tag in tags) or "Publication"


@register.filter
def closes(deadline: datetime | None) -> str:
    """ "closes in 3 days", "closes in 5 hours", "closed 2 days ago"; none → "no deadline stated"."""
    if deadline is None:
        return "no deadline stated"
    seconds = (deadline - timezone.now()).total_seconds()
    hours, days = int(abs(seconds) // 3600), int(abs(seconds) // 86400)
    if days > 730:
        span = f"{days // 365} years"
    elif days > 90:
        span = f"{days // 30} months"
    elif days:
        span = f"{days} day{'s' if days != 1 else ''}"
    elif hours:
        span = f"{hours} hour{'s' if hours != 1 else ''}"
    else:
        span = "less than an hour"
    return f"closes in {span}" if seconds >= 0 else f"closed {span} ago"


@register.filter
def closes_kind(deadline: datetime | None) -> str:
    """How it is shown: past, soon, open, none."""
    if deadline is None:
        return "none"
    left = deadline - timezone.now()
    return "past" if left.total_seconds() < 0 else "soon" if left.days < SOON_DAYS else "open"


@register.filter
def cpv_name(code: str) -> str:
    return cpv.name_of(code)


@register.filter
def country_name(code: str) -> str:
    """The code itself where we know no name."""
    return COUNTRY_NAMES.get(code, code)


@register.filter
def serious(flags: list[str]) -> list[str]:
    return [flag for flag in flags if flag in SERIOUS]


@register.filter
def flag_words(flag: str) -> str:
    return FLAGS.get(flag, flag.replace("_", " "))


@register.filter
def direction(language: str) -> str:
    """For `dir`: rtl where the language is known to be, else as the first letters are."""
    return "rtl" if language in RIGHT_TO_LEFT else "auto"


@register.filter
def safe_link(url: Any) -> str:
    """The address if a browser may follow it; "" for javascript:, data: and whatever else a publisher wrote."""
    text = str(url or "").strip()
    return text if text.lower().startswith(("https://", "http://")) else ""


@register.filter
def strength(contribution: Any) -> str:
    """A share of the score with its sign: "+0.24", "−0.10", "0"."""
    value = round(float(contribution or 0), 2)
    return f"{value:+.2f}".replace("-", "−") if value else "0"


@register.filter
def job_title(kind: str) -> str:
    """What a job of this kind does, in words."""
    return kind_of(kind).title


@register.filter
def item(things: dict[Any, Any], key: Any) -> Any:
    """Of a dictionary; None where it has no such key."""
    return things.get(key)


@register.inclusion_tag("tenders/_acting.html", takes_context=True)
def acting_for(context: Context) -> dict[str, Any]:
    """A choice for people in several organisations; nothing for others."""
    request = context["request"]
    choices = list(Organisation.objects.visible_to(request.user).order_by("name", "pk")[:100])
    if len(choices) < 2:
        return {"choices": []}
    return {
        "choices": choices,
        "chosen": acting_organisation_id(request.user),
        "back": request.get_full_path() if request.method == "GET" else "",
        "csrf_token": context.get("csrf_token"),
    }
