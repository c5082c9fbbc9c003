"""Addresses of the project pages."""

from __future__ import annotations

from django.urls import path

from .views import (
    catalogue_pages,
    charts,
    chat,
    comparing,
    documents,
    elements,
    enriching,
    exports,
    findings,
    listing,
    money,
    positions,
    printing,
    project,
    rule_pages,
    together,
    versions,
)

app_name = "projects"

_PROJECT = "<uuid:project_id>/"
_DOCUMENT = f"{_PROJECT}documents/<uuid:document_id>/"
_POSITION = f"{_PROJECT}positions/<uuid:lineage>/"
_FINDING = f"{_PROJECT}findings/<int:finding_id>/"
_MESSAGE = f"{_PROJECT}chat/<uuid:message_id>/"
_VERSION = f"{_PROJECT}versions/<int:number>/"

urlpatterns = [
    path("", listing.project_list, name="list"),
    path("new/", listing.create_project, name="new"),
    path("drop/", listing.drop_bill, name="drop"),
    path("rules/", rule_pages.rules, name="rules"),
    path("rules/audit/", rule_pages.audit_all, name="rules-audit"),
    path("rules/<str:name>/", rule_pages.set_one, name="threshold"),
    path("rules/<str:name>/withdraw/", rule_pages.withdraw_one, name="threshold-withdraw"),
    path("catalogues/", catalogue_pages.catalogues, name="catalogues"),
    path("catalogues/import/", catalogue_pages.import_catalogue, name="catalogue-import"),
    path("catalogues/index/", catalogue_pages.import_index, name="index-import"),
    path(_PROJECT, project.detail, name="detail"),
    path(f"{_PROJECT}summary/", project.summary, name="summary"),
    path(f"{_PROJECT}live/", project.live, name="live"),
    path(f"{_PROJECT}settings/", project.settings, name="settings"),
    path(f"{_PROJECT}references/", catalogue_pages.references, name="references"),
    path(f"{_PROJECT}archive/", project.archive, name="archive"),
    path(f"{_PROJECT}unarchive/", project.unarchive, name="unarchive"),
    path(f"{_PROJECT}audit/", project.audit_report, name="audit"),
    path(f"{_PROJECT}audit/start/", project.audit_now, name="audit-start"),
    path(f"{_PROJECT}jobs/<uuid:job_id>/cancel/", project.cancel_job, name="job-cancel"),
    path(f"{_PROJECT}upload/", documents.upload, name="upload"),
    path(f"{_PROJECT}documents/", documents.document_list, name="documents"),
    path(f"{_PROJECT}documents/compare/", comparing.compare, name="compare-documents"),
    path(f"{_DOCUMENT}file/", documents.download, name="document-file"),
    path(f"{_DOCUMENT}read-again/", documents.read_document_again, name="document-read"),
    path(f"{_DOCUMENT}mapping/", documents.confirm_mapping, name="document-mapping"),
    path(f"{_PROJECT}positions/", project.positions, name="positions"),
    path(f"{_PROJECT}positions/filters/", project.filter_options, name="filter-options"),
    path(f"{_PROJECT}positions/new/", positions.add, name="position-add"),
    path(_POSITION, positions.position, name="position"),
    path(f"{_POSITION}edit/", positions.edit, name="position-edit"),
    path(f"{_POSITION}resolve/", positions.resolve, name="position-resolve"),
    path(f"{_POSITION}delete/", positions.delete, name="position-delete"),
    path(f"{_FINDING}override/", findings.override, name="finding-override"),
    path(f"{_FINDING}withdraw/", findings.withdraw, name="finding-withdraw"),
    path(f"{_PROJECT}here/", together.here, name="here"),
    path(f"{_PROJECT}history/", together.history, name="history"),
    path(f"{_POSITION}seen.json", together.seen_json, name="seen"),
    path(f"{_PROJECT}enrich/", enriching.enrich, name="enrich"),
    path(f"{_POSITION}take-over/", enriching.take_over_price, name="take-over"),
    path(f"{_PROJECT}exports/", exports.exports, name="exports"),
    path(f"{_PROJECT}exports/<uuid:export_id>/file/", exports.download, name="export-file"),
    path(f"{_PROJECT}exports/<uuid:export_id>/delete/", exports.delete, name="export-delete"),
    path(f"{_PROJECT}versions/", versions.version_list, name="versions"),
    path(f"{_PROJECT}versions/steps.json", versions.steps_json, name="versions-json"),
    path(_VERSION, versions.version_detail, name="version"),
    path(f"{_VERSION}restore/", versions.restore, name="version-restore"),
    path(f"{_VERSION}effects.json", versions.effects_json, name="version-json"),
    path(f"{_PROJECT}building/", elements.building, name="building"),
    path(f"{_PROJECT}building/profile.json", elements.profile_json, name="profile-json"),
    path(f"{_PROJECT}building/assumptions/", elements.assumptions, name="assumptions"),
    path(f"{_PROJECT}building/elements/<str:guid>/", elements.element, name="element"),
    path(f"{_PROJECT}print/", printing.print_view, name="print"),
    path("chat/<uuid:message_id>/", chat.message_page, name="chat-message-page"),
    path(f"{_PROJECT}chat/", chat.chat, name="chat"),
    path(f"{_PROJECT}chat/ask/", chat.ask, name="chat-ask"),
    path(_MESSAGE, chat.message, name="chat-message"),
    path(f"{_MESSAGE}again/", chat.again, name="chat-again"),
    path(f"{_MESSAGE}apply/", chat.apply, name="chat-apply"),
    path(f"{_MESSAGE}refuse/", chat.refuse, name="chat-refuse"),
    path(f"{_PROJECT}charts/", charts.charts, name="charts"),
    path(f"{_PROJECT}charts/sections.json", charts.sections_json, name="sections-json"),
    path(f"{_PROJECT}charts/roles.json", charts.roles_json, name="roles-json"),
    path(f"{_PROJECT}charts/stake.json", money.stake_json, name="stake-json"),
    path(f"{_PROJECT}charts/spread.json", money.spread_json, name="spread-json"),
]
