"""The question editor's pages: every kind is written and changed, nobody is overwritten unknowingly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organisation, User
from quiz.exceptions import BankMissing, QuestionMissing
from quiz.exchange.item import Item, Kind
from quiz.models import Bank, Picture, Question, QuestionVersion
from quiz.services import editing, storing
from quiz.services.bodies import item_of
from tests.factories.people import make_user
from tests.factories.pictures import SVG, png
from tests.factories.quiz import make_bank, make_category
from tests.quiz.editing_cast import ITEMS, edit, sent, written

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("root@example.com", "a long password")


@pytest.fixture
def as_staff(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def bank() -> Bank:
    return Bank.objects.create(name="Ours", kind=Bank.Kind.OWN)


def address(page: str, *arguments: Any) -> str:
    return reverse(f"admin:quiz_question_{page}", args=arguments)


def looker(*codenames: str) -> User:
    user = make_user("looker", is_staff=True)
    for codename in codenames:
        user.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label="quiz"))
    return user


# --- through the pages ---


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_every_kind_is_written_and_shown_again_as_it_was_sent(as_staff: Client, bank: Bank, kind: Kind) -> None:
    item = ITEMS[kind]
    assert as_staff.get(address("add")).status_code == 200
    answer = as_staff.post(address("add"), sent(item, bank=bank.pk, external_id="N1"))
    question = Question.objects.select_related("current", "category").get()
    assert answer["Location"] == address("change", question.pk)
    assert question.current is not None
    assert item_of(question.current, title=question.title) == item
    assert question.category.name == "Welding"
    page = as_staff.get(address("edit", question.pk))
    assert page.status_code == 200
    fields = page.context["editor"]
    resent = {f.html_name: "" if f.value() is None else f.value() for f in fields.form if f.value() is not False}
    resent["is_case_sensitive"] = "on" if item.is_case_sensitive else ""
    for rows in fields.rows.values():
        resent |= {f.html_name: f.value() or "" for f in rows.management_form}
        resent |= {f.html_name: "on" if f.value() is True else f.value() or "" for form in rows.forms for f in form}
    resent = {name: value for name, value in resent.items() if value != "" or not name.endswith("is_case_sensitive")}
    assert as_staff.post(address("edit", question.pk), resent).status_code == 302
    assert QuestionVersion.objects.count() == 1, "saving what is there writes nothing"


def test_shares_are_filled_in_where_nobody_says_them(as_staff: Client, bank: Bank) -> None:
    values = sent(ITEMS[Kind.MULTIPLE], bank=bank.pk)
    values |= {f"choices-{at}-share": "" for at in range(4)} | {"choices-0-is_right": "on", "choices-1-is_right": "on"}
    values |= {"choices-TOTAL_FORMS": 6, "choices-4-text": "", "choices-5-text": ""}
    assert as_staff.post(address("add"), values).status_code == 302
    version = QuestionVersion.objects.get()
    assert [each["share"] for each in version.body["choices"]] == ["0.5", "0.5", "0", "0"]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"stem": " "}, "stem", "no question text"),
        ({"difficulty": "7"}, "difficulty", "not between 0"),
        ({"difficulty": "hard"}, "difficulty", "no number"),
        ({"choices-0-share": "120"}, "choices-0-share", "-100 to 100"),
        ({"choices-0-share": "0"}, "answers", "No choice is marked"),
        ({"choices-1-text": "", "choices-1-feedback": "x"}, "answers", "A choice has no text"),
        ({"kind": "matching"}, "answers", "fewer than two pairs"),
        ({"kind": "true_false"}, "answers", "Neither True nor False"),
        ({"bank": ""}, "bank", "required"),
        ({"kind": "essay"}, "kind", "not one of the available"),
    ],
    ids=["stem", "range", "number", "percent", "right", "empty", "pairs", "truth", "bank", "kind"],
)
def test_what_is_wrong_is_told_at_its_field(
    as_staff: Client, bank: Bank, change: dict[str, str], field: str, reason: str
) -> None:
    answer = as_staff.post(address("add"), sent(ITEMS[Kind.SINGLE], bank=bank.pk) | change)
    assert answer.status_code == 422
    assert reason in " ".join(answer.context["editor"].errors()[field])
    assert reason in answer.content.decode().replace("&#x27;", "'")
    assert not Question.objects.exists()


def test_the_preview_is_what_learners_see_and_writes_nothing(as_staff: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        told = as_staff.post(address("preview"), sent(ITEMS[Kind.SINGLE])).json()
    assert told["problems"] == {}
    assert told["shown"]["question"]["stem"] == "What <em>comes</em> first?"
    assert {each["text"] for each in told["shown"]["question"]["choices"]} == {"Preheat", "Peen", "Grind"}
    right = told["shown"]["result"]["right"]["choices"]
    assert [each["text"] for each in told["shown"]["question"]["choices"] if each["id"] in right] == ["Preheat"]
    assert told["shown"]["result"]["explanation"] == "By the <strong>table</strong>"
    assert not any(query["sql"].startswith(("INSERT", "UPDATE")) for query in queries if "quiz" in query["sql"])


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_half_a_question_is_previewed_with_what_it_lacks(as_staff: Client, kind: Kind) -> None:
    told = as_staff.post(address("preview"), sent(Item(kind, "What <script>now</script>?"))).json()
    assert told["shown"]["question"]["stem"] == "What &lt;script&gt;now&lt;/script&gt;?"
    assert told["shown"]["result"] is None
    assert told["problems"]["answers"]
    assert as_staff.post(address("preview"), {"kind": kind.value}).status_code == 200
    assert as_staff.get(address("preview")).status_code == 405


def test_the_frame_of_the_preview_may_be_framed_by_the_site_alone(as_staff: Client) -> None:
    answer = as_staff.get(address("preview_frame"))
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert "script-src 'self';" in answer["Content-Security-Policy"]


def test_of_two_editors_the_second_is_told_and_may_insist(as_staff: Client, staff: User, bank: Bank) -> None:
    question = written(staff, bank)
    mine = sent(ITEMS[Kind.SINGLE], stem="What comes last?", seen=question.source_hash)
    edit(staff, question, ITEMS[Kind.ORDERING])
    refused = as_staff.post(address("edit", question.pk), mine)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Somebody else has changed this question" in page
    assert "<del" in page
    assert "What comes last?" in page, "what was typed is still there"
    question.refresh_from_db()
    assert f'value="{question.source_hash}"' in page
    assert as_staff.post(address("edit", question.pk), mine | {"seen": question.source_hash}).status_code == 302
    assert [each.stem for each in question.versions.order_by("number")] == [
        "What *comes* first?",
        "Order.",
        "What comes last?",
    ]


def test_wordings_are_told_with_what_changed_in_them(as_staff: Client, staff: User, bank: Bank) -> None:
    from dataclasses import replace

    question = written(staff, bank)
    edit(staff, question, replace(ITEMS[Kind.SINGLE], stem="What *comes* <b>last</b>?"))
    page = as_staff.get(address("wordings", question.pk)).content.decode()
    assert '<del title="before">first</del>' in page
    assert "&lt;" in page
    assert "<b>last</b>" not in page
    assert page.index("Wording 2") < page.index("Wording 1")
    assert "root@example.com" in page


@pytest.mark.parametrize("count", [1, 50])
def test_pages_cost_the_same_queries_whatever_their_length(
    as_staff: Client, staff: User, bank: Bank, count: int
) -> None:
    from dataclasses import replace

    question = written(staff, bank)
    for number in range(count):
        edit(staff, question, replace(ITEMS[Kind.SINGLE], stem=f"What comes {number}?"))
        question.refresh_from_db()
        make_category(f"Category {number} of {count}")
    for page in (address("wordings", question.pk), address("edit", question.pk), address("change", question.pk)):
        as_staff.get(page)
        with CaptureQueriesContext(connection) as queries:
            assert as_staff.get(page).status_code == 200
        assert len(queries) <= 16, page


# --- who may ---


def pages_of(question: Question) -> list[str]:
    return [address(page, question.pk) for page in ("edit", "wordings", "retire_with_reason")] + [
        address(page) for page in ("add", "preview", "preview_frame", "picture")
    ]


def test_strangers_get_no_page_of_the_editor(client: Client, staff: User, bank: Bank, stranger: User) -> None:
    pages = pages_of(written(staff, bank))
    for user in (None, stranger):
        if user:
            client.force_login(user)
        for page in pages:
            assert client.get(page).status_code == 302, page
            assert client.post(page, {}).status_code == 302, page


def test_staff_who_may_only_look_see_the_wordings_and_change_nothing(client: Client, staff: User, bank: Bank) -> None:
    question = written(staff, bank)
    client.force_login(looker("view_question"))
    assert client.get(address("wordings", question.pk)).status_code == 200
    for page in pages_of(question):
        if "wordings" not in page:
            assert client.get(page).status_code == 403, page
            assert client.post(page, sent(ITEMS[Kind.SINGLE], bank=bank.pk)).status_code == 403, page
    assert QuestionVersion.objects.count() == 1


def test_the_right_to_change_is_not_the_right_to_write(client: Client, staff: User, bank: Bank) -> None:
    question = written(staff, bank)
    client.force_login(looker("view_question", "change_question"))
    assert client.get(address("edit", question.pk)).status_code == 200
    assert client.get(address("add")).status_code == 403


def test_a_stranger_can_not_edit_through_the_services(
    staff: User, stranger: User, member: User, viewer: User, organisation: Organisation
) -> None:
    own = make_bank(organisation)
    question = editing.write_question(actor=member, bank_id=own.pk, item=ITEMS[Kind.SHORT], category="Welding")
    for actor in (stranger, viewer):
        with pytest.raises(QuestionMissing):
            edit(actor, question, ITEMS[Kind.SINGLE])
        with pytest.raises(BankMissing):
            editing.write_question(actor=actor, bank_id=own.pk, item=ITEMS[Kind.SINGLE], category="Welding")
    assert edit(member, question, ITEMS[Kind.SINGLE])
    assert edit(staff, Question.objects.get(), ITEMS[Kind.SHORT])


# --- pictures ---


def test_a_picture_is_sent_named_in_a_text_and_previewed(as_staff: Client, bank: Bank) -> None:
    file = SimpleUploadedFile("weld.png", png())
    told = as_staff.post(address("picture"), {"bank": str(bank.pk), "picture": file}).json()
    assert told["name"] == "weld.png"
    picture = Picture.objects.get(bank=bank)
    assert told["address"] == f"picture:{picture.digest}"
    values = sent(ITEMS[Kind.SINGLE], stem=f"![A weld]({told['address']}) What?", bank=bank.pk)
    shown = as_staff.post(address("preview"), values).json()["shown"]["question"]["stem"]
    assert f'<img src="{told["url"]}" alt="A weld"' in shown
    assert as_staff.post(address("add"), values).status_code == 302
    assert as_staff.get(told["url"]).status_code == 200


def test_what_is_no_picture_is_refused_in_words(as_staff: Client, bank: Bank) -> None:
    file = SimpleUploadedFile("weld.svg", SVG, content_type="image/png")
    answer = as_staff.post(address("picture"), {"bank": str(bank.pk), "picture": file})
    assert answer.status_code == 422
    assert "SVG" in answer.json()["detail"]
    assert as_staff.post(address("picture"), {"bank": "", "picture": file}).status_code == 422
    assert as_staff.post(address("picture"), {"bank": str(bank.pk)}).status_code == 422
    assert not Picture.objects.exists()


def test_pictures_pasted_from_elsewhere_belong_to_the_bank_afterwards(staff: User, organisation: Organisation) -> None:
    import base64
    from dataclasses import replace

    first, second = make_bank(), make_bank(organisation)
    data = base64.b64encode(png()).decode()
    item = replace(ITEMS[Kind.SINGLE], stem=f"![weld](data:image/png;base64,{data})")
    question = editing.write_question(actor=staff, bank_id=first.pk, item=item, category="")
    assert question.current is not None
    assert question.current.stem.startswith("![weld](picture:")
    editing.write_question(actor=staff, bank_id=second.pk, item=replace(item, stem=question.current.stem), category="")
    assert set(Picture.objects.values_list("bank_id", flat=True)) == {first.pk, second.pk}


# --- many at once ---


def test_a_thousand_are_retired_with_one_reason(as_staff: Client, bank: Bank) -> None:
    category = storing.categories_named(names=["Welding"], organisation_id=None)["Welding"]
    item = ITEMS[Kind.NUMERIC]
    storing.store(bank=bank, incoming=[storing.Incoming(f"Q{n}", item, category) for n in range(1000)])
    page = address("changelist") + "?state=live"
    one = str(Question.objects.values_list("pk", flat=True)[0])
    chosen = {"action": "retire", "select_across": "1", "_selected_action": [one], "index": "0"}
    asked = as_staff.post(page, chosen)
    assert asked.status_code == 200
    assert b"Retire 1,000 questions?" in asked.content
    assert Question.objects.live().count() == 1000, "nothing without a reason"
    assert as_staff.post(page, chosen | {"reason": " "}).status_code == 200
    assert Question.objects.live().count() == 1000
    with CaptureQueriesContext(connection) as queries:
        assert as_staff.post(page, chosen | {"reason": "Superseded"}).status_code == 302
    assert len([q for q in queries if q["sql"].startswith("UPDATE quiz_question")]) == 1
    assert Question.objects.filter(retired_reason="Superseded").count() == 1000


def test_only_the_selected_ones_are_retired(as_staff: Client, staff: User, bank: Bank) -> None:
    first, second, third = (written(staff, bank, kind) for kind in (Kind.SINGLE, Kind.SHORT, Kind.NUMERIC))
    chosen = {"action": "retire", "select_across": "0", "_selected_action": [str(first.pk), str(second.pk)]}
    asked = as_staff.post(address("changelist"), chosen).content.decode()
    assert asked.count('name="_selected_action"') == 2
    as_staff.post(address("changelist"), chosen | {"reason": "Misleading"})
    assert list(Question.objects.live()) == [third]
