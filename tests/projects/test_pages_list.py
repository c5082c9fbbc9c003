"""The list of projects, and beginning one."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from jobs.models import Job
from projects.models import Document, Project
from projects.services.opening import archive_project
from tests.factories.projects import make_audited_project, make_document, make_project
from tests.projects.pages import HTMX, JSON, queries, signed_in, url

pytestmark = pytest.mark.django_db


def test_shows_what_each_project_costs_and_what_is_at_stake(project: Project, member: User) -> None:
    page = signed_in(member).get(url("list")).content.decode()
    assert project.name in page
    assert "200.00\xa0CZK" in page  # 20 + 40 + 60 + 80
    assert "60.00\xa0CZK" in page  # red 20 + amber 40
    assert "1 red, 1 amber, 1 green, 1 not checked" in page


def test_shows_only_projects_of_ones_organisations(project: Project, stranger: User) -> None:
    page = signed_in(stranger).get(url("list")).content.decode()
    assert project.name not in page
    assert "Drop a bill here" in page  # the empty state invites


def test_search_and_status_narrow_the_list(owner: User) -> None:
    make_audited_project(owner, name="Bridge in Bohumín")
    make_project(owner, name="School", description="with a gym")
    hidden = make_project(owner, name="Old depot")
    archive_project(project_id=hidden.pk, actor=owner)
    client = signed_in(owner)

    def names(query: str) -> set[str]:
        page = client.get(f"{url('list')}?{query}").content.decode()
        return {name for name in ("Bridge in Bohumín", "School", "Old depot") if name in page}

    assert names("") == {"Bridge in Bohumín", "School"}
    assert names("q=bohumín") == {"Bridge in Bohumín"}
    assert names("q=gym") == {"School"}
    assert names("status=red") == {"Bridge in Bohumín"}
    assert names("status=empty") == {"School"}
    assert names("status=archived") == {"Old depot"}
    assert names("q=nothing+like+it") == set()
    assert "No project matches" in client.get(f"{url('list')}?q=nothing").content.decode()


def test_htmx_gets_the_cards_alone(project: Project, owner: User) -> None:
    answer = signed_in(owner).get(url("list"), headers=HTMX | {"HX-Target": "projects"})
    assert project.name in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_pages_hold_twenty_four(owner: User) -> None:
    for number in range(25):
        make_project(owner, name=f"Project no. {number:02d}")
    client = signed_in(owner)
    assert client.get(url("list")).content.decode().count("project-card") == 24
    assert client.get(f"{url('list')}?page=2").content.decode().count("project-card") == 1


def test_the_list_takes_as_many_queries_for_fifty_projects_as_for_one(owner: User) -> None:
    client = signed_in(owner)
    make_audited_project(owner, 1)
    few = queries(client, url("list"))
    for _ in range(49):
        make_audited_project(owner, 1)
    assert queries(client, url("list")) == few


def test_opens_a_project_by_its_form(owner: User) -> None:
    answer = signed_in(owner).post(url("new"), {"name": "Bridge", "description": "", "currency": "czk"})
    project = Project.objects.get(name="Bridge")
    assert answer["Location"] == url("detail", project.pk)
    assert (project.owner, project.currency) == (owner, "CZK")


def test_a_project_without_a_name_is_not_opened(owner: User) -> None:
    answer = signed_in(owner).post(url("new"), {"name": "  ", "currency": "koruna"})
    assert answer.status_code == 422
    assert "A currency has three letters" in answer.content.decode()
    assert not Project.objects.exists()


def test_somebody_who_only_looks_on_opens_nothing(viewer: User) -> None:
    client = signed_in(viewer)
    assert "New project" not in client.get(url("list")).content.decode()
    answer = client.post(url("new"), {"name": "Mine"})
    assert answer.status_code == 400
    assert "no organisation in which you may open projects" in answer.content.decode()


def test_a_dropped_bill_opens_a_project_named_after_it(owner: User) -> None:
    file = SimpleUploadedFile("Valcha_rozpočet 2025.xlsx", b"content")
    answer = signed_in(owner).post(url("drop"), {"file": file}, headers=JSON)
    project = Project.objects.get()
    assert answer.status_code == 201
    assert answer.json()["url"] == url("detail", project.pk)
    assert project.name == "Valcha rozpočet 2025"
    assert Document.objects.get(project=project).original_filename == "Valcha_rozpočet 2025.xlsx"
    assert Job.objects.filter(kind="projects.parse_document", subject_id=project.pk).count() == 1


def test_of_a_refused_file_no_project_remains(owner: User) -> None:
    answer = signed_in(owner).post(url("drop"), {"file": SimpleUploadedFile("empty.xlsx", b"")}, headers=JSON)
    assert answer.status_code == 400
    assert "empty" in answer.json()["detail"]
    assert not Project.objects.exists()
    assert signed_in(owner).post(url("drop"), {}, headers=JSON).json()["code"] == "no_file"


def test_a_project_whose_bill_could_not_be_read_says_so(owner: User) -> None:
    make_document(make_project(owner), parse_status=Document.ParseStatus.FAILED)
    page = signed_in(owner).get(url("list")).content.decode()
    assert "Not imported" in page and "A document could not be read." in page


def test_names_from_outside_are_text_not_markup(owner: User) -> None:
    hostile = "<script>alert(1)</script>"
    make_project(owner, name=hostile, description=hostile)
    page = signed_in(owner).get(url("list")).content.decode()
    assert hostile not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
