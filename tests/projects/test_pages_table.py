"""The positions table: filters, sorting, paging, versions."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from jobs.models import Job
from projects.models import Project
from projects.services.editing import delete_position, edit_position
from tests.factories.projects import (
    make_audited_project,
    make_document,
    make_finding,
    make_position,
    make_positions,
    make_project,
    make_verdict,
    make_version,
)
from tests.projects.pages import HTMX, queries, rows_of, signed_in, url

pytestmark = pytest.mark.django_db


def numbers(user: User, project: Project, query: str = "") -> list[str]:
    """The numbers of the rows shown, in their order."""
    answer = signed_in(user).get(f"{url('positions', project.pk)}?{query}", headers=HTMX)
    assert answer.status_code == 200
    return re.findall(r'class="cell-number"><a [^>]*>([^<]*)<', answer.content.decode())


def test_grade_filters_show_what_is_of_that_grade(project: Project, owner: User) -> None:
    assert numbers(owner, project, "grade=red") == ["1"]
    assert numbers(owner, project, "grade=green") == ["3"]
    assert numbers(owner, project, "grade=not_checked") == ["4"]


def test_a_position_that_no_audit_has_seen_counts_as_not_checked(project: Project, owner: User) -> None:
    make_version(project)  # an edit, whose audit is still to come
    make_position(project)
    assert set(numbers(owner, project, "grade=not_checked")) == {"4", "5"}
    page = signed_in(owner).get(url("detail", project.pk)).content.decode()
    assert 'data-count-shown="not_checked">2<' in page


def test_role_filter_shows_what_the_role_objects_to(owner: User) -> None:
    project = make_project(owner)
    first, second, _ = make_positions(project, 3)
    make_verdict(first, "red", roles={"cost": "red", "validator": "green"})
    make_verdict(second, "amber", roles={"cost": "green", "validator": "amber"})
    assert numbers(owner, project, "role=cost") == ["1"]
    assert numbers(owner, project, "role=validator") == ["2"]
    assert numbers(owner, project, "role=concrete") == []


def test_rule_filter_shows_each_position_once(owner: User) -> None:
    project = make_project(owner)
    first, _ = make_positions(project, 2)
    make_finding(first)
    make_finding(first)
    assert numbers(owner, project, "rule=V06") == ["1"]
    assert numbers(owner, project, "rule=C02") == []


def test_section_filter_takes_what_is_below_and_stays_in_its_object(owner: User) -> None:
    project = make_project(owner)
    make_position(project, object_code="SO 1", section="HSV")
    make_position(project, object_code="SO 1", section="HSV › 1 Zemní práce")
    make_position(project, object_code="SO 1", section="HSV2")
    make_position(project, object_code="SO 2", section="HSV › 1 Zemní práce")
    assert numbers(owner, project, "section=SO+1|HSV&sort=ordinal") == ["1", "2"]
    assert numbers(owner, project, "section=SO+2|") == ["4"]
    assert numbers(owner, project, "section=SO+2|HSV+›+1+Zemní+práce") == ["4"]


def test_text_finds_words_of_descriptions_and_beginnings_of_codes(owner: User) -> None:
    project = make_project(owner)
    make_position(project, description="Beton základových pasů", code="274321411")
    make_position(project, description="Bednění základových pasů", code="274351121")
    assert numbers(owner, project, "q=základových+beton") == ["1"]
    assert numbers(owner, project, "q=27435") == ["2"]


def test_hostile_search_text_is_only_text(project: Project, owner: User) -> None:
    assert numbers(owner, project, "q=%25") == []
    assert numbers(owner, project, "q='; DROP TABLE projects_position; --") == []
    page = signed_in(owner).get(f'{url("detail", project.pk)}?q="><script>alert(1)</script>').content.decode()
    assert "<script>alert(1)" not in page


def test_money_at_stake_comes_first_unless_told_otherwise(owner: User) -> None:
    project = make_project(owner)
    cheap, dear, fine = make_positions(project, 3)
    make_verdict(cheap, "red", money_at_stake=Decimal(5), confidence=Decimal("0.9"))
    make_verdict(dear, "amber", money_at_stake=Decimal(500), confidence=Decimal("0.5"))
    make_verdict(fine, "green", money_at_stake=Decimal(0), confidence=Decimal("0.7"))
    in_order = ["2", "1", "3"]
    assert numbers(owner, project) == in_order
    Project.objects.filter(pk=project.pk).update(audited_version=project.version_number)
    assert numbers(owner, project) == in_order  # by the index now: the same order
    assert numbers(owner, project, "sort=ordinal") == ["1", "2", "3"]
    assert numbers(owner, project, "sort=total") == ["3", "2", "1"]
    assert numbers(owner, project, "sort=confidence") == ["2", "3", "1"]


def test_a_hundred_rows_a_page_and_a_page_too_far_is_the_last(owner: User) -> None:
    project = make_project(owner)
    make_positions(project, 205)
    assert len(numbers(owner, project, "sort=ordinal")) == 100
    assert numbers(owner, project, "sort=ordinal&page=3") == ["201", "202", "203", "204", "205"]
    assert numbers(owner, project, "sort=ordinal&page=80") == ["201", "202", "203", "204", "205"]
    page = signed_in(owner).get(f"{url('detail', project.pk)}?sort=ordinal&page=2").content.decode()
    assert "101–200 of 205" in page


def test_the_address_bar_gets_the_page_that_shows_the_same(project: Project, owner: User) -> None:
    address = f"{url('positions', project.pk)}?grade=red&role=&q=&sort=money"
    answer = signed_in(owner).get(address, headers=HTMX | {"HX-Trigger": "filters"})
    assert answer["HX-Replace-Url"] == f"{url('detail', project.pk)}?grade=red"
    quiet = signed_in(owner).get(address, headers=HTMX | {"HX-Trigger": "positions"})
    assert "HX-Replace-Url" not in quiet and "HX-Push-Url" not in quiet


def test_an_earlier_version_reads_as_it_was_and_offers_no_editing(project: Project, owner: User) -> None:
    first, second, *_ = rows_of(project)
    edit_position(
        project_id=project.pk, lineage=first.lineage, actor=owner, seen=first.pk, changes={"unit_price": Decimal(99)}
    )
    delete_position(project_id=project.pk, lineage=second.lineage, actor=owner, seen=second.pk)
    page = signed_in(owner).get(f"{url('detail', project.pk)}?version=1&sort=ordinal").content.decode()
    assert "This is history" in page and "Add a position" not in page
    assert ">10.00<" in page and ">99.00<" not in page
    assert numbers(owner, project, "version=1&sort=ordinal") == ["1", "2", "3", "4"]
    assert numbers(owner, project, "sort=ordinal") == ["1", "3", "4"]
    now = signed_in(owner).get(f"{url('detail', project.pk)}?version=3").content.decode()
    assert "This is history" not in now  # the current version is not history


def test_a_project_without_a_bill_invites_to_drop_one(owner: User, viewer: User) -> None:
    project = make_project(owner)
    assert "Drop a bill here" in signed_in(owner).get(url("detail", project.pk)).content.decode()
    page = signed_in(viewer).get(url("detail", project.pk)).content.decode()
    assert "No bill of quantities yet" in page and "Drop a bill here" not in page


def test_what_could_not_be_checked_is_told(project: Project, owner: User) -> None:
    page = signed_in(owner).get(url("detail", project.pk)).content.decode()
    assert "1 rule could not run" in page
    assert "no catalogue is loaded" in page


def test_a_running_audit_shows_its_bar_with_counts(project: Project, owner: User) -> None:
    job = Job.objects.create(
        kind="projects.audit",
        status=Job.Status.RUNNING,
        subject_type="project",
        subject_id=project.pk,
        organisation=project.organisation,
        current_step="Auditing position 15/298: Beton C30/37",
        done=15,
        total=298,
        progress=5,
        eta_s=12.4,
        detail={"counts": {"red": 2, "amber": 3, "green": 10, "not_checked": 0}},
        started_at=timezone.now(),
    )
    bar = signed_in(owner).get(url("live", project.pk)).content.decode()
    assert "Auditing position 15/298: Beton C30/37" in bar
    assert 'data-job-count="green">10<' in bar
    assert "about 12\xa0s left" in bar
    signed_in(owner).post(url("job-cancel", project.pk, job.pk), headers=HTMX)
    job.refresh_from_db()
    assert job.cancel_requested_at is not None


def test_an_audit_that_failed_says_so_and_can_be_asked_for_again(project: Project, owner: User) -> None:
    Project.objects.filter(pk=project.pk).update(audited_version=None)
    Job.objects.create(
        kind="projects.audit",
        status=Job.Status.FAILED,
        subject_type="project",
        subject_id=project.pk,
        organisation=project.organisation,
        error={"message": "The job took longer than 1800 s."},
    )
    page = signed_in(owner).get(url("detail", project.pk)).content.decode()
    assert "The audit failed." in page and "took longer than 1800 s" in page and "Audit again" in page
    signed_in(owner).post(url("audit-start", project.pk), headers=HTMX)
    assert Job.objects.filter(kind="projects.audit", status=Job.Status.QUEUED).count() == 1
    assert "The audit failed." not in signed_in(owner).get(url("detail", project.pk)).content.decode()


def test_fifty_positions_take_as_many_queries_as_one(owner: User) -> None:
    client = signed_in(owner)
    few, many = make_audited_project(owner, 1), make_audited_project(owner, 50)
    for name in ("detail", "positions", "summary", "charts", "audit", "documents"):
        headers = HTMX if name in ("positions", "summary") else None
        assert queries(client, url(name, many.pk), headers) == queries(client, url(name, few.pk), headers), name
    filtered = "?grade=red&role=validator&q=concrete&rule=V06"
    counts = [queries(client, url("positions", one.pk) + filtered, HTMX) for one in (few, many)]
    assert counts[0] == counts[1]


def test_descriptions_from_files_are_text_not_markup(owner: User) -> None:
    project = make_project(owner)
    hostile = "<img src=x onerror=alert(1)>"
    make_position(project, description=hostile, number=hostile, code=hostile, unit="<b>", section=hostile)
    make_document(project, name="<script>alert(1)</script>.xlsx")
    client = signed_in(owner)
    row = rows_of(project)[0]
    for address in (
        url("detail", project.pk),
        url("position", project.pk, row.lineage),
        url("documents", project.pk),
        url("charts", project.pk),
        url("position-edit", project.pk, row.lineage),
    ):
        page = client.get(address).content.decode()
        assert "<img src=x" not in page and "<script>alert" not in page, address
