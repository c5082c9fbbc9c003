"""The question editor: every kind is written and changed, nobody is overwritten unknowingly, what was asked stays."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
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
from config import cache
from quiz.exceptions import BankMissing, EditedMeanwhile, KeptElsewhere, NotAQuestion, QuestionMissing
from quiz.exchange.item import Accepted, Choice, Item, Kind, Markup, Pair, Range
from quiz.exchange.soundness import true_false
from quiz.models import Bank, Picture, Question, QuestionVersion, SyncRejection
from quiz.services import editing, files, mending, storing
from quiz.services.bodies import item_of
from tests.factories.people import make_user
from tests.factories.pictures import SVG, png
from tests.factories.quiz import make_bank, make_category, make_question

pytestmark = pytest.mark.django_db
WHOLE = Decimal(1)
GIFT = "// [id:G1]\n::First:: What comes first? {{={right} ~Peen #No!}}\n"
ITEMS = {
    Kind.SINGLE: Item(
        Kind.SINGLE, "What *comes* first?", markup=Markup.MARKDOWN, explanation="By the **table**", title="First",
        choices=(Choice("Preheat", WHOLE, "Right"), Choice("Peen", Decimal("-0.25")), Choice("Grind", Decimal("0.5"))),
        references=("AWS D1.1 4.1", "4.2"), tags=("a", "b c"), difficulty=Decimal("0.25"),
    ),
    Kind.MULTIPLE: Item(
        Kind.MULTIPLE, "<p>Which?</p>", markup=Markup.HTML,
        choices=tuple(Choice(text, share) for text, share in
                      (("A", Decimal("0.3333333")), ("B", Decimal("0.3333333")), ("C", Decimal("0.3333333")),
                       ("D", Decimal(0)))),
    ),
    Kind.TRUE_FALSE: Item(Kind.TRUE_FALSE, "Steel rusts.", choices=true_false(True, if_true="Yes", if_false="It does")),
    Kind.SHORT: Item(
        Kind.SHORT, "Name it.", accepted=(Accepted("E70*"), Accepted("e7", Decimal("0.5"), "Nearly")),
        is_case_sensitive=True,
    ),
    Kind.NUMERIC: Item(
        Kind.NUMERIC, "How hot?",
        ranges=(Range(Decimal("9.5"), Decimal("10.5")), Range(Decimal(9), Decimal(11), Decimal("0.5"), "Nearly")),
    ),
    Kind.MATCHING: Item(Kind.MATCHING, "Match.", pairs=(Pair("a", "1"), Pair("b", "2"), Pair("", "3"))),
    Kind.ORDERING: Item(Kind.ORDERING, "Order.", sequence=("tack", "weld", "grind")),
}  # fmt: skip


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


def percent(share: Decimal) -> str:
    return f"{share * 100:f}"


def sent(item: Item, **more: Any) -> dict[str, Any]:
    """The form as a browser sends it, every share spelt out."""
    rows: dict[str, list[dict[str, str]]] = {
        "choices": [{"text": c.text, "feedback": c.feedback, "share": percent(c.share)} for c in item.choices],
        "accepted": [{"text": a.text, "feedback": a.feedback, "share": percent(a.share)} for a in item.accepted],
        "ranges": [
            {"number": str((r.low + r.high) / 2), "tolerance": str((r.high - r.low) / 2), "feedback": r.feedback,
             "share": percent(r.share)}
            for r in item.ranges
        ],
        "pairs": [{"left": p.left, "right": p.right} for p in item.pairs],
        "sequence": [{"text": text} for text in item.sequence],
    }  # fmt: skip
    is_truth = item.kind is Kind.TRUE_FALSE and bool(item.choices)
    values: dict[str, Any] = {
        "kind": item.kind.value, "markup": item.markup.value, "stem": item.stem, "explanation": item.explanation,
        "references": "\n".join(item.references), "tags": ", ".join(item.tags), "title": item.title,
        "difficulty": "" if item.difficulty is None else str(item.difficulty), "category": "Welding",
        "truth": next((c.text for c in item.choices if c.share == 1), "") if is_truth else "",
        "if_true": item.choices[0].feedback if is_truth else "",
        "if_false": item.choices[1].feedback if is_truth else "",
    }  # fmt: skip
    if item.is_case_sensitive:
        values["is_case_sensitive"] = "on"
    for name, found in rows.items():
        values |= {f"{name}-TOTAL_FORMS": len(found), f"{name}-INITIAL_FORMS": 0}
        values |= {f"{name}-{at}-{key}": text for at, row in enumerate(found) for key, text in row.items()}
    return values | more


def written(staff: User, bank: Bank, kind: Kind = Kind.SINGLE) -> Question:
    return editing.write_question(actor=staff, bank_id=bank.pk, item=ITEMS[kind], category="Welding")


def edit(actor: User, question: Question, item: Item, **more: Any) -> bool:
    given: dict[str, Any] = {"seen": question.source_hash, "category": question.category.name} | more
    return editing.edit_question(actor=actor, question_id=question.pk, item=item, **given)


def imported(bank: Bank, right: str = "Preheat", **more: Any) -> Any:
    return files.import_file(bank=bank, stream=io.BytesIO(GIFT.format(right=right).encode()), filename="p.gift", **more)


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


# --- what is written ---


def test_an_edit_is_another_wording_and_the_same_text_is_none(staff: User, bank: Bank) -> None:
    question = written(staff, bank)
    assert edit(staff, question, ITEMS[Kind.SINGLE]) is False
    assert edit(staff, question, ITEMS[Kind.NUMERIC]) is True
    old, new = question.versions.order_by("number")
    assert (old.kind, new.kind, new.created_by) == ("single", "numeric", staff)
    question.refresh_from_db()
    assert question.current_id == new.pk
    assert question.keeper_hash == "", "it is written here"


def test_a_title_or_category_alone_is_no_wording(staff: User, bank: Bank) -> None:
    from dataclasses import replace

    question = written(staff, bank)
    assert edit(staff, question, replace(ITEMS[Kind.SINGLE], title="Another"), category="Inspection")
    question.refresh_from_db()
    assert (question.title, question.category.name, question.versions.count()) == ("Another", "Inspection", 1)


def test_an_edit_makes_the_quizzes_kept_in_caches_stale(
    staff: User, bank: Bank, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    question = written(staff, bank)
    with django_capture_on_commit_callbacks(execute=True):
        cache.get_or_set("quiz", ("probe",), lambda: "old")
    with django_capture_on_commit_callbacks(execute=True) as calls:
        edit(staff, question, ITEMS[Kind.NUMERIC])
    assert calls
    assert cache.get_or_set("quiz", ("probe",), lambda: "new") == "new"


def test_a_retired_question_stays_retired_when_it_is_edited(staff: User, bank: Bank) -> None:
    for reason in ("Misleading", storing.VANISHED):
        question = written(staff, bank)
        storing.retire(question_ids=[question.pk], reason=reason)
        assert edit(staff, question, ITEMS[Kind.NUMERIC])
        question.refresh_from_db()
        assert question.retired_reason == reason
        assert question.retired_at is not None


def test_what_can_not_be_asked_is_refused_by_the_service_too(staff: User, bank: Bank) -> None:
    with pytest.raises(NotAQuestion) as refused:
        editing.write_question(actor=staff, bank_id=bank.pk, item=Item(Kind.SINGLE, "?"), category="")
    assert refused.value.extra["field"] == "answers"
    question = written(staff, bank)
    taken = Item(Kind.SHORT, "?", external_id=question.external_id, accepted=(Accepted("a"),))
    with pytest.raises(NotAQuestion, match="already"):
        editing.write_question(actor=staff, bank_id=bank.pk, item=taken, category="")


# --- whose word counts ---


def test_a_question_of_airtable_is_changed_there(as_staff: Client, staff: User) -> None:
    bank = Bank.objects.create(name="Office", kind="airtable", base_id="appAAAAAAAAAA", table_id="tblBBBBBBBBBB")
    question = make_question(make_category("Welding"), bank)
    with pytest.raises(KeptElsewhere) as refused:
        edit(staff, question, ITEMS[Kind.SINGLE])
    url = f"https://airtable.com/appAAAAAAAAAA/tblBBBBBBBBBB/{question.external_id}"
    assert refused.value.extra["url"] == url
    with pytest.raises(KeptElsewhere):
        editing.write_question(actor=staff, bank_id=bank.pk, item=ITEMS[Kind.SINGLE], category="")
    assert as_staff.get(address("edit", question.pk))["Location"] == address("change", question.pk)
    assert url in as_staff.get(address("change", question.pk)).content.decode()


def test_what_was_edited_here_stays_when_its_file_comes_again(staff: User) -> None:
    bank = make_bank()
    imported(bank)
    question = Question.objects.select_related("category").get()
    edit(staff, question, ITEMS[Kind.ORDERING])
    again = imported(bank)
    assert (again.unchanged, again.updated, again.rejected) == (1, 0, 0), "the file says nothing new"
    changed = imported(bank, "Clean")
    assert (changed.fetched, changed.unchanged, changed.updated, changed.rejected) == (1, 0, 0, 1)
    question.refresh_from_db()
    assert question.current is not None
    assert question.current.kind == "ordering"
    rejection = SyncRejection.objects.unresolved().get()
    assert (rejection.code, rejection.stage) == ("edited_here", "validate")
    imported(bank, "Clean")
    assert SyncRejection.objects.unresolved().get() == rejection, "told once"


def test_its_file_is_taken_over_an_edit_where_somebody_says_so(staff: User) -> None:
    bank = make_bank()
    imported(bank)
    question = Question.objects.select_related("category").get()
    edit(staff, question, ITEMS[Kind.ORDERING])
    imported(bank, "Clean")
    rejection = SyncRejection.objects.unresolved().get()
    mending.read_again(rejection_id=rejection.pk, actor=staff, text=rejection.raw)
    question.refresh_from_db()
    assert question.current is not None
    assert (question.current.kind, question.keeper_hash) == ("single", "")
    assert imported(bank, "Clean").unchanged == 1
    edit(staff, question, ITEMS[Kind.ORDERING])
    assert imported(bank, "Clean", replaces_edits=True).updated == 1
    assert imported(bank, "Clean", replaces_edits=True).unchanged == 1


def test_a_file_that_has_caught_up_keeps_the_question_again(staff: User) -> None:
    bank, other = make_bank(), make_bank()
    imported(bank)
    imported(other, "Clean")
    question = Question.objects.select_related("category").get(bank=bank)
    current = Question.objects.select_related("current").get(bank=other).current
    assert current is not None
    storing.categories_named(names=[bank.name], organisation_id=None)
    edit(staff, question, item_of(current, title="First"))
    assert imported(bank, "Clean").rejected == 0
    question.refresh_from_db()
    assert question.keeper_hash == ""
    assert imported(bank, "Grind").updated == 1
    assert question.versions.count() == 3


def test_what_was_written_here_is_not_replaced_by_a_file_with_its_id(staff: User) -> None:
    from dataclasses import replace

    bank = make_bank()
    item = replace(ITEMS[Kind.SINGLE], external_id="G1")
    editing.write_question(actor=staff, bank_id=bank.pk, item=item, category="")
    assert imported(bank).rejected == 1


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


def test_edited_meanwhile_is_told_by_the_service(staff: User, bank: Bank) -> None:
    question = written(staff, bank)
    edit(staff, question, ITEMS[Kind.SHORT])
    with pytest.raises(EditedMeanwhile) as told:
        edit(staff, question, ITEMS[Kind.ORDERING])
    question.refresh_from_db()
    assert told.value.extra["seen"] == question.source_hash
