"""Answers of the chat without a model: computed by the database, quoted with their place, or not given."""

# ruff: noqa: F811 - a fixture of another module

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.core.files.base import ContentFile

from accounts.models import User
from projects.models import ChatMessage, Document, Project
from projects.services.document_text import READ_TEXT, queue_missing
from projects.services.editing import edit_position
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_audited_project, make_document, make_positions, make_project
from tests.factories.quiz import make_clause
from tests.projects.chat_cast import Asks, asked  # noqa: F401 - a fixture
from tests.projects.pages import rows_of

pytestmark = pytest.mark.django_db(transaction=True)
FOUNDATIONS = "HSV › 2 Zakládání"


def test_the_total_is_the_projects_own_and_says_how_it_was_computed(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "What is the total?")
    assert answer.source == "computed" and answer.confidence == 1
    assert "200.00\u00a0CZK" in answer.message and "positions: 4" in answer.message
    assert "version 1" in answer.context["how"]
    assert [each["kind"] for each in answer.citations] == ["version"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Kolik stojí oddíl Zakládání?", "2 Zakládání: 540,00\u00a0CZK"),
        ("Was kostet Abschnitt 2?", "Positionen: 3"),
        ("sum of section 2", "73.0 % of the budget"),
    ],
    ids=["cs", "de", "en"],
)
def test_a_sections_sum_is_computed_in_the_language_of_the_question(
    project: Project, owner: User, asked: Asks, question: str, expected: str
) -> None:
    make_positions(project, 3, section=FOUNDATIONS, total=Decimal(180))
    answer = asked(project, owner, question)
    assert expected in answer.message
    assert answer.citations[0]["kind"] == "section" and "section=SO" in answer.citations[0]["url"]


def test_the_dearest_positions_are_listed_with_their_rows(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "Which 2 positions are the most expensive?")
    assert [row[0] for row in answer.context["table"]["rows"]] == ["4", "3"]
    assert answer.citations[0]["title"] == "Position 4" and answer.citations[0]["place"] == "bill.xlsx, SO 1!A14"
    assert answer.citations[0]["url"].endswith(f"/positions/{rows_of(project)[3].lineage}/")


def test_red_findings_are_counted_and_cited(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "Červené nálezy")
    assert "Otevřené nálezy (červená): 1" in answer.message
    assert answer.citations[0]["title"].startswith("V06") and answer.citations[0]["place"] == "position 1"


def test_findings_of_an_older_version_are_told_as_such(project: Project, owner: User, asked: Asks) -> None:
    row = rows_of(project)[1]
    edit_position(
        project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes={"unit_price": Decimal(5)}
    )
    Project.objects.filter(pk=project.pk).update(audited_version=1)
    from projects.services.chat.answering import compose

    project.refresh_from_db()
    reply = compose(project=project, message="Red findings", step=lambda text: None)
    assert "of version 1; the budget is at version 2" in reply.remark


def test_what_changed_is_told_from_the_version(project: Project, owner: User, asked: Asks) -> None:
    row = rows_of(project)[0]
    edit_position(
        project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes={"unit_price": Decimal(15)}
    )
    answer = asked(project, owner, "What changed in version 2?")
    assert "changed the total by +10.00\u00a0CZK to 210.00\u00a0CZK" in answer.message
    assert answer.context["table"]["rows"][0][3:] == ["Unit price: 10, Total: 20", "Unit price: 15, Total: 30"]
    assert "There is no version 9" in asked(project, owner, "What changed in version 9?").message


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many positions are there?", "Positions: 4."),
        ("How many red positions?", "Positions (red): 1."),
        ("Kolik položek je bez ceny?", "bez jednotkové ceny: 1"),
        ("positions of code 274320002", "Positions with the code 274320002: 1; quantity 2 m3"),
        ("Why is position 1 red?", "Position 1 is graded red. Findings: 1."),
        ("price of 2", "Position 2: Concrete foundation strip no. 2. 2 m3 × 20.00 = 40.00"),
        ("which documents are there?", "Documents: 1."),
        ("sum of section Roofs", "No section is named “roofs”. There are: HSV Práce a dodávky HSV, 1 Zemní práce"),
        ("cost by section", "The budget by section"),
        ("findings of rule V06", "V06:"),
    ],
)
def test_other_figures_are_computed_too(
    project: Project, owner: User, asked: Asks, question: str, expected: str
) -> None:
    row = rows_of(project)[3]
    type(row).objects.filter(pk=row.pk).update(unit_price=None)
    answer = asked(project, owner, question)
    assert expected in answer.message and answer.source == "computed"


def test_a_question_may_follow_on_the_one_before(project: Project, owner: User, asked: Asks) -> None:
    make_positions(project, 3, section=FOUNDATIONS, total=Decimal(180))
    asked(project, owner, "Kolik stojí oddíl 1?")
    assert "2 Zakládání: 540,00" in asked(project, owner, "a oddíl 2?").message


def test_a_passage_is_quoted_with_its_document_and_page(project: Project, owner: User, asked: Asks) -> None:
    text = "General.\fConcrete shall be cured for seven days. It is kept wet.\fPayment in thirty days."
    document = make_document(
        project, "spec.pdf", kind="specification", file_type="pdf", indexed_content=text, extracted_data={"text": {}}
    )
    answer = asked(project, owner, "How long must concrete be cured?")
    assert answer.source == "extract" and "cured for seven days" in answer.message
    first = answer.citations[0]
    assert (first["kind"], first["title"], first["place"]) == ("document", "spec.pdf", "page 2")
    assert first["url"].endswith(f"/documents/{document.pk}/file/#page=2")
    assert "cured for seven days" in first["quote"]
    assert answer.documents == [str(document.pk)]


def test_words_are_found_whatever_their_ending_and_marks(project: Project, owner: User, asked: Asks) -> None:
    make_document(
        project, "zprava.docx", kind="other", file_type="docx", extracted_data={"text": {}},
        indexed_content="Úvod.\nOšetřování betonu trvá nejméně sedm dní.",
    )  # fmt: skip
    answer = asked(project, owner, "Jak dlouho trva osetrovani beton?")
    assert answer.source == "extract" and answer.citations[0]["place"] == "line 2"


def test_what_nothing_supports_is_not_answered(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "Who won the football championship in Brazil?")
    assert answer.source == "nobody" and answer.message.startswith("I don’t know.")
    assert answer.citations == [] and answer.confidence == 0


def test_clauses_are_cited_of_the_own_and_shared_standards_only(
    project: Project, owner: User, stranger: User, asked: Asks
) -> None:
    from analytics.models import Entity
    from tests.analytics.search_cast import index

    elsewhere = stranger.memberships.get().organisation
    make_clause("7.4", title="Frobnication of girders", text="Girders are frobnicated twice.")
    make_clause("9.9", title="Secret frobnication", text="Girders are frobnicated thrice.", organisation=elsewhere)
    index()
    assert Entity.objects.filter(organisation=elsewhere, entity_type="clause").exists()
    answer = asked(project, owner, "How often are girders frobnicated?")
    assert [each["kind"] for each in answer.citations] == ["clause"]
    assert "twice" in answer.message and "thrice" not in answer.message


def test_nothing_of_another_project_is_found_not_even_of_ones_own(project: Project, owner: User, asked: Asks) -> None:
    other = make_project(owner, "Other")
    make_document(
        other, "x.pdf", kind="other", indexed_content="Zirconium cladding is riveted.", extracted_data={"text": {}}
    )
    make_positions(other, 1, description="Zirconium cladding riveted")
    assert asked(project, owner, "How is zirconium cladding riveted?").source == "nobody"


def test_a_document_without_text_is_named_as_not_looked_through(project: Project, owner: User, asked: Asks) -> None:
    make_document(project, "scan.png", b"\x89PNG", kind="drawing", file_type="png", extracted_data={})
    first = asked(project, owner, "Where do the frobnicators stand?")
    assert first.source == "nobody" and "being read now: scan.png" in first.context["remark"]
    second = asked(project, owner, "Where do the frobnicators stand?")
    assert "no text that could be read: scan.png" in second.context["remark"]
    document = Document.objects.get(original_filename="scan.png")
    assert "no text is read from files of this kind (png)" in document.extracted_data["text"]["problem"]


def test_the_text_of_a_word_document_is_read_once_it_comes(project: Project, owner: User, asked: Asks) -> None:
    package = BytesIO()
    with ZipFile(package, "w") as archive:
        archive.writestr(
            "word/document.xml",
            '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
            "<w:p><w:r><w:t>Roof</w:t></w:r></w:p><w:p><w:r><w:t>Rafters are oiled </w:t></w:r>"
            "<w:r><w:t>yearly.</w:t></w:r></w:p></w:body></w:document>",
        )
    from projects.services.documents import upload_document

    upload_document(
        project_id=project.pk, actor=owner, file=ContentFile(package.getvalue()), filename="roof.docx", kind="other"
    )
    asked(project, owner, "What is the total?")  # the jobs run
    answer = asked(project, owner, "When are rafters oiled?")
    assert "Rafters are oiled yearly." in answer.message and answer.citations[0]["title"] == "roof.docx"
    assert queue_missing(project_id=project.pk) == 0


def test_a_damaged_document_is_told_and_breaks_nothing(project: Project, owner: User, asked: Asks) -> None:
    from jobs.models import Job

    document = make_document(project, "bad.pdf", b"%PDF-1.4 rubbish", kind="other", file_type="pdf", extracted_data={})
    asked(project, owner, "Where do the frobnicators stand?")
    document.refresh_from_db()
    assert document.extracted_data["text"]["problem"]
    assert Job.objects.get(kind=READ_TEXT).status == Job.Status.COMPLETED


def test_an_empty_project_says_that_there_is_no_budget(owner: User, asked: Asks) -> None:
    answer = asked(make_project(owner), owner, "Kolik stojí celý rozpočet?")
    assert answer.message.startswith("Zatím tu není žádný rozpočet.")


def test_who_has_left_the_organisation_gets_no_answer(project: Project, member: User, drain: object) -> None:
    from projects.services.chat.answering import answer_question
    from projects.services.chat.asking import ask

    exchange = ask(project_id=project.pk, actor=member, message="What is the total?")
    member.memberships.all().delete()
    member = type(member).objects.get(pk=member.pk)
    drain()  # type: ignore[operator]
    answer = ChatMessage.objects.get(pk=exchange.answer.pk)
    assert answer.source == "nobody" and "200.00" not in answer.message
    answer_question(message_id=answer.pk, checkpoint=lambda: None, finishing=None)  # type: ignore[arg-type] # answered


def test_many_positions_take_no_more_queries_than_few(owner: User, django_assert_max_num_queries: object) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from projects.services.chat.answering import compose

    counts = []
    for how_many in (4, 60):
        project = make_audited_project(make_user(f"owner{how_many}", organisation=make_organisation()), how_many)
        with CaptureQueriesContext(connection) as captured:
            for question in ("The 20 most expensive positions", "red findings", "cost by section", "foundation strips"):
                compose(project=project, message=question, step=lambda text: None)
        counts.append(len(captured))
    assert counts[0] == counts[1]
