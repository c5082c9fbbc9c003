"""What search and demand know of projects: the projects, their documents, and the sections of their bills.

Positions are found by their section: there are up to 100,000 of them in a project, and who looks for one looks for its
words or its code, which stand in the section's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection, transaction
from django.urls import reverse

from analytics.registry import Described, EntitySource, register
from analytics.services.signals import publish_updates

from .models import Document, Project

PROJECTS = "projects.project"
DOCUMENTS = "projects.document"
SECTIONS = "projects.section"
LONGEST = 20_000

# project:section, of current positions. 32 + 1 + 24 characters, however long the section's name is.
_DIGEST = "left(md5(object_code || chr(31) || section), 24)"
_SECTION_KEYS = f"""
SELECT DISTINCT project_id, {_DIGEST} AS digest FROM projects_position
WHERE removed_in IS NULL AND project_id = %s ORDER BY digest
"""
# Each position's number, code and words, in the order of the bill, as long as they are wanted.
_SECTIONS_READ = f"""
SELECT p.project_id, {_DIGEST} AS digest, min(p.object_name), min(p.section), count(*),
    left(string_agg(left(concat_ws(' ', p.number, p.code, p.description), 400), E'\n' ORDER BY p.ordinal), {LONGEST})
FROM projects_position p
WHERE p.removed_in IS NULL AND p.project_id = ANY(%s) AND (p.project_id = ANY(%s) OR {_DIGEST} = ANY(%s))
GROUP BY p.project_id, p.object_code, p.section
"""


def project_keys() -> Iterator[str]:
    return (str(key) for key in Project.objects.order_by("pk").values_list("pk", flat=True).iterator(2000))


def read_projects(keys: Sequence[str]) -> Iterable[Described]:
    for project in Project.objects.filter(pk__in=list(map(UUID, keys))):
        yield Described(
            source_id=str(project.pk),
            name=project.name,
            text=project.description[:LONGEST],
            url=reverse("projects:detail", args=[project.pk]),
            organisation_id=project.organisation_id,
            data={"status": project.status, "currency": project.currency},
        )


def document_keys() -> Iterator[str]:
    return (str(key) for key in Document.objects.order_by("pk").values_list("pk", flat=True).iterator(2000))


def read_documents(keys: Sequence[str]) -> Iterable[Described]:
    rows = Document.objects.filter(pk__in=list(map(UUID, keys))).select_related("project").defer("extracted_data")
    for document in rows:
        yield Described(
            source_id=str(document.pk),
            name=document.original_filename,
            text=f"{document.get_kind_display()} of {document.project.name}\n{document.indexed_content[:LONGEST]}",
            url=reverse("projects:documents", args=[document.project_id]),
            organisation_id=document.project.organisation_id,
            data={"kind": document.kind, "project": str(document.project_id)},
        )


def section_keys() -> Iterator[str]:
    for project_id in Project.objects.order_by("pk").values_list("pk", flat=True).iterator(2000):
        with connection.cursor() as cursor:
            cursor.execute(_SECTION_KEYS, [project_id])
            yield from (_section_key(*row) for row in cursor.fetchall())


def read_sections(keys: Sequence[str]) -> Iterable[Described]:
    """A key without a digest stands for all sections of the project."""
    told = [key.partition(":") for key in keys]
    projects = list({UUID(project) for project, _, _ in told})
    whole = [UUID(project) for project, _, digest in told if not digest]
    digests = [digest for _, _, digest in told if digest]
    known = {project.pk: project for project in Project.objects.filter(pk__in=projects)}
    with connection.cursor() as cursor:
        cursor.execute(_SECTIONS_READ, [projects, whole, digests])
        rows = cursor.fetchall()
    wanted = set(keys)
    for project_id, digest, object_name, section, count, text in rows:
        key, project = _section_key(project_id, digest), known[project_id]
        if key in wanted or project_id in whole:
            yield Described(
                source_id=key,
                name=f"{section or object_name or 'Positions'} ({project.name})",
                text=text,
                url=f"{reverse('projects:detail', args=[project_id])}?{urlencode({'section': section})}"[:300],
                organisation_id=project.organisation_id,
                data={"project": str(project_id), "object": object_name, "positions": count},
            )


def tell_project(project_id: UUID, *, has_new_version: bool = False) -> None:
    """On commit: the project, or its budget too, has changed."""

    def tell() -> None:
        publish_updates(source=PROJECTS, source_ids=[str(project_id)])
        if has_new_version:
            publish_updates(source=SECTIONS, source_ids=[project_id.hex])

    transaction.on_commit(tell)


def tell_document(document_id: UUID) -> None:
    """On commit: a document has come, or has been read."""
    transaction.on_commit(lambda: publish_updates(source=DOCUMENTS, source_ids=[str(document_id)]) and None)


def _section_key(project_id: UUID, digest: str) -> str:
    return f"{project_id.hex}:{digest}"


SOURCES = (
    EntitySource(name=PROJECTS, entity_type="project", label="Project", read=read_projects, keys=project_keys),
    EntitySource(name=DOCUMENTS, entity_type="document", label="Document", read=read_documents, keys=document_keys),
    EntitySource(name=SECTIONS, entity_type="section", label="Section", read=read_sections, keys=section_keys),
)
for each in SOURCES:
    register(each)
