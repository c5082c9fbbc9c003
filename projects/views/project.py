"""A project's page: its positions, and the regions around them that keep themselves up to date."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import push_url, replace_url

from accounts.pacing import costly
from accounts.pages import PageRequest, page
from jobs.models import Job
from jobs.services import cancel

from ..exceptions import Missing
from ..forms import SettingsForm
from ..models import AuditRecord, AuditRun, BudgetVersion, Finding, Project
from ..models.findings import Grade, Role
from ..services.access import editable_project, visible_project
from ..services.auditing import start_audit
from ..services.opening import archive_project, change_project, unarchive_project
from .answers import done, go
from .compared import compared_with, not_run
from .counts import counts_of
from .rules import known_rules, rule_title
from .sections import SectionNode, tree_of
from .states import newest_audit, opened
from .table import SORT_WORDS, Table, filters_of, table_of

BUDGET_FINDINGS = 100


@page
@require_safe
def detail(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The positions; of an earlier version with `?version=`. An empty project asks for a bill instead."""
    project, context = opened(request, project_id, tab="positions")
    sections, version, table = _table(request, project)
    context |= {
        "table": table,
        "version": version,
        "can_change": context["can_edit"] and version is None,
        "sections": sections,
        "grades": _grades(project),
        "roles": Role.choices,
        "sorts": SORT_WORDS,
        "rules": _rules_that_hit(project, context["audit"]),
        "settings_form": SettingsForm.of(project),
    }
    return render(request, "projects/detail.html", context)


@page
@require_safe
def positions(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The table alone, for htmx; its page's address goes to the address bar."""
    project = visible_project(project_id=project_id, user=request.user)
    _, version, table = _table(request, project)
    can_edit = Project.objects.editable_by(request.user).filter(pk=project.pk).exists()
    context = {"project": project, "table": table, "version": version, "can_change": can_edit and version is None}
    response = render(request, "projects/_table.html", context)
    query = table.filters.query()
    url = reverse("projects:detail", args=[project.pk]) + (f"?{query}" if query else "")
    trigger = request.htmx.trigger
    if trigger == "filters":
        return replace_url(response, url)
    return response if trigger == "positions" else push_url(response, url)


@page
@require_safe
def filter_options(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The sections and rules to choose from, once an import or an audit has made others. For htmx."""
    project = visible_project(project_id=project_id, user=request.user)
    chosen = filters_of(request.GET)
    version = _version(project, chosen.version)
    context = {
        "project": project,
        "chosen": chosen,
        "sections": tree_of(project, version.number if version else None) if project.version_number else [],
        "rules": _rules_that_hit(project, newest_audit(project)),
    }
    return render(request, "projects/_filter_options.html", context)


def _table(request: PageRequest, project: Project) -> tuple[list[SectionNode], BudgetVersion | None, Table]:
    filters = filters_of(request.GET)
    version = _version(project, filters.version)
    filters = replace(filters, version=version.number if version else None)
    if filters.rule and filters.rule not in known_rules():
        filters = replace(filters, rule="")
    sections = tree_of(project, filters.version) if project.version_number else []
    node = next((node for node in sections if node.key == filters.section), None)
    if node is None:
        filters = replace(filters, section="")
    return sections, version, table_of(project, filters, node, version)


def _version(project: Project, number: int | None) -> BudgetVersion | None:
    """An earlier version; None for the current one. Raises Missing for one that never was."""
    if number is None or number == project.version_number:
        return None
    found = BudgetVersion.objects.filter(project=project, number=number).defer("changes")
    version: BudgetVersion | None = found.first()
    if version is None:
        raise Missing(f"This project has no version {number}.", code="version_not_found")
    return version


def _grades(project: Project) -> list[tuple[str, str, int]]:
    order = (Grade.RED, Grade.AMBER, Grade.GREEN, Grade.NOT_CHECKED)
    counts = counts_of(project)
    return [(grade.value, grade.label, counts[grade.value]) for grade in order]


def _rules_that_hit(project: Project, audit: AuditRun | None) -> list[dict[str, Any]]:
    """`on_positions` leaves out what was said of the budget as a whole. One query."""
    if audit is None:
        return []
    of_budget = Finding.objects.filter(project=project, position__isnull=True).order_by().values_list("rule_id")
    said = dict(of_budget.annotate(number=Count("pk")))
    return [
        {"id": rule, "title": rule_title(rule), "hits": hits, "on_positions": max(0, hits - said.get(rule, 0))}
        for rule, hits in sorted(audit.rule_hits.items())
        if hits
    ]


@page
@require_safe
def summary(request: PageRequest, project_id: UUID) -> HttpResponse:
    """What stands above the tabs: totals, traffic lights, trouble. For htmx."""
    _, context = opened(request, project_id, tab=request.GET.get("tab", "")[:20])
    return render(request, "projects/_summary.html", context)


@page
@require_safe
def live(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The bars of the jobs under way. For htmx."""
    _, context = opened(request, project_id, tab="")
    return render(request, "projects/_live.html", context)


@page
@require_safe
def audit_report(request: PageRequest, project_id: UUID) -> HttpResponse:
    """What the newest audit says of the budget as a whole: its findings, what hit how often, what could not run."""
    project, context = opened(request, project_id, tab="audit")
    audit: AuditRun | None = context["audit"]
    of_budget = Finding.objects.filter(project=project, position__isnull=True).order_by("-money_at_stake", "rule_id")
    context |= {
        "budget_findings": [
            {"finding": finding, "title": rule_title(finding.rule_id)} for finding in of_budget[:BUDGET_FINDINGS]
        ],
        "certificate": AuditRecord.objects.filter(run=audit).exclude(certificate="").first() if audit else None,
        "rules": _rules_that_hit(project, audit),
        "silent": _rules_without_hits(audit),
        "compared": compared_with(audit),
        "not_run": not_run(project, audit),
    }
    return render(request, "projects/audit.html", context)


def _rules_without_hits(audit: AuditRun | None) -> list[dict[str, Any]]:
    if audit is None:
        return []
    ran = AuditRun.objects.filter(pk=audit.pk).values_list("rules", flat=True).first() or {}
    gaps = {row[0] for row in audit.not_checked_rules}
    return [
        {"id": rule, "title": rule_title(rule)}
        for rule in sorted(ran)
        if not audit.rule_hits.get(rule) and rule not in gaps
    ]


@page
@require_POST
@costly
def audit_now(request: PageRequest, project_id: UUID) -> HttpResponse:
    start_audit(project_id=project_id, actor=request.user)
    return done(request, "The audit is under way.", reverse("projects:detail", args=[project_id]))


@page
@require_POST
def cancel_job(request: PageRequest, project_id: UUID, job_id: UUID) -> HttpResponse:
    visible_project(project_id=project_id, user=request.user)
    if not Job.objects.of_subject("project", project_id).filter(pk=job_id).exists():
        raise Missing("There is no such job in this project.", code="job_not_found")
    cancel(job_id, request.user)
    return done(request, "The job will stop.", reverse("projects:detail", args=[project_id]), level="info")


@page
@require_http_methods(["GET", "POST"])
def settings(request: PageRequest, project_id: UUID) -> HttpResponse:
    project, context = opened(request, project_id, tab="settings")
    form = SettingsForm(request.POST) if request.method == "POST" else SettingsForm.of(project)
    if request.method == "POST":
        editable_project(project_id=project_id, user=request.user)
        if form.is_valid():
            values = form.cleaned_data | {"currency": form.cleaned_data["currency"].upper()}
            change_project(project_id=project_id, actor=request.user, changes=values)
            return go(request, "Saved.", reverse("projects:detail", args=[project_id]))
    status = 422 if form.is_bound else 200
    return render(request, "projects/settings.html", context | {"form": form}, status=status)


@page
@require_POST
def archive(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = archive_project(project_id=project_id, actor=request.user)
    return go(request, f"{project.name} is in the archive.", reverse("projects:list"))


@page
@require_POST
def unarchive(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = unarchive_project(project_id=project_id, actor=request.user)
    return go(request, f"{project.name} is out of the archive.", reverse("projects:detail", args=[project_id]))
