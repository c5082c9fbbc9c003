"""Templates of calls: all of them, one with its rubric, and the editor of both with the versions before."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Organisation
from accounts.pages import PageRequest, page

from ..calls.rules import RULES
from ..models import Rubric, TrainingTemplate
from ..services.training import templates as writing
from ..services.training.access import categories_for, changeable_template, visible_template
from ..services.training.criteria import drafts_of
from ..services.training.grading import agreement
from ..services.training.presenting import listed_templates, rubric_out
from ..services.training.starting import example_template
from ..training_exceptions import BadTemplate, ChangedMeanwhile, RubricMissing
from . import training_rubric_form as forms
from .training_session_told import GRADERS
from .training_shell import Standing, shown, standing_of, uuid_of

PAGE = 30
FIELDS = ("name", "scenario", "persona")


@page
@require_safe
def templates(request: PageRequest) -> HttpResponse:
    is_archive = bool(request.GET.get("archived"))
    rows = listed_templates(request.user).filter(archived_at__isnull=not is_archive).order_by("name", "pk")
    shown_rows = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": shown_rows, "is_archive": is_archive}
    return shown(request, "training/templates.html", context, standing=standing_of(request))


@page
@require_safe
def template(request: PageRequest, template_id: UUID) -> HttpResponse:
    """To read; with `version`, the rubric as it was then."""
    row = visible_template(template_id=template_id, user=request.user)
    standing = standing_of(request)
    versions = list(Rubric.objects.filter(template=row).select_related("created_by").order_by("-number"))
    told = request.GET.get("version", "")
    chosen = next((each for each in versions if str(each.number) == told), None) if told else None
    if told and chosen is None:
        raise RubricMissing("This template has no such version.")
    rubric = chosen or (versions[0] if versions else None)
    may_change = any(each.pk == row.organisation_id for each in standing.coached)
    criteria = rubric_out(rubric, request.user)["criteria"] if rubric else []
    for criterion in criteria:
        criterion["rule_words"] = _in_words(criterion["rule"])
    context = {
        "template": row,
        "versions": versions,
        "rubric": rubric,
        "criteria": criteria,
        "may_change": may_change,
        "has_agreement": may_change and bool(versions),
        # Of all grades that the template ever had: fetched once the page stands.
        "agreement": _agreement(row, request) if may_change and request.GET.get("agreement") else None,
    }
    return shown(request, "training/template.html", context, standing=standing)


@page
@require_POST
def example(request: PageRequest) -> HttpResponse:
    """The one to begin with."""
    organisation = standing_of(request).coached_one(request.POST.get("organisation", ""))
    made = example_template(organisation_id=organisation.pk, actor=request.user)
    messages.success(request, "An example to begin with: change it as you like.")
    return redirect("training:template", made.pk)


@page
@require_POST
def archive(request: PageRequest, template_id: UUID) -> HttpResponse:
    if request.POST.get("do") == "restore":
        writing.restore_template(template_id=template_id, actor=request.user)
    else:
        writing.archive_template(template_id=template_id, actor=request.user)
    return redirect("training:template", template_id)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PageRequest) -> HttpResponse:
    standing = standing_of(request)
    standing.require_coach()
    organisation = standing.coached_one(request.POST.get("organisation", ""))
    if request.method != "POST":
        return _editor(request, standing, organisation, rows=[])
    rows = forms.rows_sent(request.POST)
    if what := request.POST.get("do"):
        return _editor(request, standing, organisation, rows=forms.changed(rows, what))
    try:
        made = writing.create_template(
            actor=request.user,
            organisation_id=organisation.pk,
            criteria=forms.drafts_of(rows),
            note=request.POST.get("note", ""),
            **_fields(request),
        )
    except BadTemplate as error:
        return _editor(request, standing, organisation, rows=rows, error=error)
    messages.success(request, "The template is ready to be assigned." if rows else "Kept. It needs criteria yet.")
    return redirect("training:template", made.pk)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PageRequest, template_id: UUID) -> HttpResponse:
    """Template and rubric are kept together: what has changed of them."""
    row = changeable_template(template_id=template_id, user=request.user)
    standing = standing_of(request)
    if request.method != "POST":
        rubric = writing.current_rubric(template_id=row.pk)
        return _editor(request, standing, row.organisation, template=row, rows=forms.rows_of(drafts_of(rubric)))
    rows = forms.rows_sent(request.POST)
    if what := request.POST.get("do"):
        return _editor(request, standing, row.organisation, template=row, rows=forms.changed(rows, what))
    try:
        _keep(request, row, rows)
    except (BadTemplate, ChangedMeanwhile) as error:
        return _editor(request, standing, row.organisation, template=row, rows=rows, error=error)
    messages.success(request, "Saved.")
    return redirect("training:template", row.pk)


def _keep(request: PageRequest, row: TrainingTemplate, rows: list[forms.Row]) -> None:
    seen = request.POST.get("seen_at", "")
    if rows or request.POST.get("seen_number", "0") != "0":
        writing.write_rubric(
            template_id=row.pk,
            criteria=forms.drafts_of(rows),
            actor=request.user,
            note=request.POST.get("note", ""),
            seen=_whole(request.POST.get("seen_number", "")),
        )
    writing.edit_template(
        template_id=row.pk,
        actor=request.user,
        changes=_fields(request),
        seen=datetime.fromisoformat(seen) if seen else None,
    )


def _editor(
    request: PageRequest,
    standing: Standing,
    organisation: Organisation,
    *,
    rows: list[forms.Row],
    template: TrainingTemplate | None = None,
    error: BadTemplate | ChangedMeanwhile | None = None,
) -> HttpResponse:
    errors: dict[str, Any] = error.extra.get("errors", {}) if error else {}
    about_all = forms.with_errors(rows, errors.get("criteria"))
    is_sent = request.method == "POST"
    rubric = writing.current_rubric(template_id=template.pk) if template and not is_sent else None
    fields = {name: request.POST.get(name, "") if is_sent else getattr(template, name, "") for name in FIELDS}
    context: dict[str, Any] = {
        "template": template,
        "organisation": organisation,
        "rows": forms.with_clauses(rows, user=request.user, organisation_id=organisation.pk),
        "fields": fields,
        "category": request.POST.get("category", "")
        if is_sent
        else str(template.category_id or "")
        if template
        else "",
        "categories": categories_for(user=request.user, organisation_id=organisation.pk).order_by("name", "pk"),
        "note": request.POST.get("note", ""),
        "seen_at": request.POST.get("seen_at", "") if is_sent else template.updated_at.isoformat() if template else "",
        "seen_number": request.POST.get("seen_number", "0") if is_sent else rubric.number if rubric else 0,
        "rules": RULES.values(),
        "error": error,
        "errors": errors,
        "about_all": about_all,
    }
    return shown(request, "training/template_edit.html", context, standing=standing, status=400 if error else 200)


def _fields(request: PageRequest) -> dict[str, Any]:
    told: dict[str, Any] = {name: request.POST.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    return told | {"category_id": uuid_of(request.POST.get("category"))}


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _agreement(row: TrainingTemplate, request: PageRequest) -> dict[str, Any]:
    """With the graders' names."""
    told = agreement(template_id=row.pk, user=request.user)
    pairs = [
        pair | {"names": f"{GRADERS[pair['first']]} and {GRADERS[pair['second']].lower()}"} for pair in told["pairs"]
    ]
    return told | {"pairs": pairs}


def _in_words(rule: dict[str, Any]) -> list[tuple[str, str]]:
    """What a rule wants, line by line."""
    kind = RULES.get(str(rule.get("measure", "phrases"))) if rule else None
    if kind is None:
        return []
    told = [("Measured", kind.label)]
    for parameter in kind.parameters:
        value = rule.get(parameter.name)
        if value is None:
            continue
        if parameter.choices:
            value = parameter.choices.get(str(value), value)
        told.append((parameter.label, _value_in_words(value, parameter.unit)))
    return told


def _value_in_words(value: Any, unit: str) -> str:
    if isinstance(value, list):
        return " · ".join(f"“{phrase}”" for phrase in value)
    if unit == "share":
        return f"{value:.0%}".replace("%", "\u00a0%")
    return str(value) if unit in ("", "count") else f"{value} {unit}"
