"""Pictures of questions: told by content, kept once, seen by whoever sees the bank, written back where a file can."""

from __future__ import annotations

import base64
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from quiz.exchange import Format, Item, Kind, Markup, Rejected, content_hash, read, write
from quiz.exchange.item import Choice
from quiz.exchange.pictures import LARGEST, MOST, look_of, picture_of, problem_of
from quiz.exchange.soundness import sound
from quiz.models import Bank, Picture, Question, QuestionVersion
from quiz.practice.markup import bare_text, safe_html
from quiz.services import files
from tests.factories.pictures import SVG, gif, jpeg, png, webp
from tests.factories.quiz import make_bank

WELD, TOE = png(3, 2), gif(5, 4)
WHOLE = Decimal(1)


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def moodle(*, weld: bytes = WELD, toe: bytes = TOE, name: str = "weld 1.png") -> bytes:
    def file(named: str, content: bytes) -> str:
        packed = base64.b64encode(content).decode()
        return f'<file name="{named}" path="/" encoding="base64">{packed}</file>'

    return f"""<?xml version="1.0"?><quiz><question type="multichoice"><name><text>Toe of a weld</text></name>
    <idnumber>W1</idnumber><questiontext format="html">
    <text><![CDATA[<p>What is it? <img src="@@PLUGINFILE@@/weld%201.png" alt="A weld" onerror="alert(1)"></p>]]></text>
    {file(name, weld)}</questiontext>
    <answer fraction="100" format="html"><text><![CDATA[<img src="@@PLUGINFILE@@/a.gif">]]></text>
    {file("a.gif", toe)}<feedback format="html"><text>Yes</text></feedback></answer>
    <answer fraction="0" format="html"><text>Spatter</text><feedback format="html"><text/></feedback></answer>
    <single>true</single></question></quiz>""".encode()


def only(content: bytes) -> Item:
    (found,) = read(io.BytesIO(content))
    assert isinstance(found, Item)
    return found


def pictured() -> Item:
    return only(moodle())


def package(*, item: str, files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("imsmanifest.xml", "<manifest/>")
        archive.writestr("questions/one.xml", item)
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def qti2(stem: str, choice: str = "Undercut") -> str:
    return f"""<?xml version="1.0"?><assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="I1"
    title="T" adaptive="false" timeDependent="false"><responseDeclaration identifier="RESPONSE" cardinality="single"
    baseType="identifier"><correctResponse><value>A</value></correctResponse></responseDeclaration>
    <itemBody>{stem}<choiceInteraction responseIdentifier="RESPONSE" maxChoices="1">
    <simpleChoice identifier="A">{choice}</simpleChoice><simpleChoice identifier="B">Spatter</simpleChoice>
    </choiceInteraction></itemBody></assessmentItem>"""


def canvas(stem: str) -> str:
    return f"""<questestinterop><item ident="C1" title="T"><presentation><material><mattext texttype="text/html">
    <![CDATA[{stem}]]></mattext></material><response_lid ident="r" rcardinality="Single"><render_choice>
    <response_label ident="1"><material><mattext>Undercut</mattext></material></response_label>
    <response_label ident="2"><material><matimage uri="toe.gif"/></material></response_label></render_choice>
    </response_lid></presentation><resprocessing><respcondition><conditionvar><varequal respident="r">1</varequal>
    </conditionvar><setvar action="Set" varname="SCORE">100</setvar></respcondition></resprocessing></item>
    </questestinterop>"""


@pytest.mark.parametrize(
    ("make", "media_type"),
    [(png, "image/png"), (gif, "image/gif"), (jpeg, "image/jpeg"), (webp, "image/webp")],
    ids=["png", "gif", "jpeg", "webp"],
)
def test_a_pictures_kind_and_size_are_told_by_its_content(make: Any, media_type: str) -> None:
    look = look_of(make(640, 480))
    assert look is not None
    assert (look.media_type, look.width, look.height) == (media_type, 640, 480)
    assert problem_of(make(640, 480)) == ""


def test_what_is_no_picture_is_refused_and_why_is_said() -> None:
    assert "SVG" in problem_of(SVG)
    assert "no PNG" in problem_of(b"%PDF-1.7 weld.png")
    assert "no PNG" in problem_of(png()[:20])
    assert "no PNG" in problem_of(b"\xff\xd8\xff" + b"\0" * 40)
    assert "larger than 2 MB" in problem_of(png() + b"\0" * LARGEST)
    assert "million pixels" in problem_of(gif(60_000, 60_000))
    assert picture_of(SVG, "weld.png") is None


def test_moodles_pictures_are_read_each_from_the_text_that_it_is_in() -> None:
    item = pictured()
    assert {each.content for each in item.pictures} == {WELD, TOE}
    weld, toe = picture_of(WELD), picture_of(TOE)
    assert weld is not None
    assert toe is not None
    assert f'src="picture:{weld.digest}"' in item.stem
    assert item.choices[0].text == f'<img src="picture:{toe.digest}">'
    assert item.tags == ()


def test_a_picture_that_can_not_be_taken_is_named() -> None:
    item = only(moodle(weld=SVG))
    assert item.tags == ("figure:weld 1.png",)
    assert [each.content for each in item.pictures] == [TOE]
    assert "@@PLUGINFILE@@/weld%201.png" in item.stem


def test_a_packages_pictures_are_found_where_its_questions_say() -> None:
    stem = '<p>What is it? <img src="../media/weld%201.png" alt="A weld"/></p>'
    choice = '<object data="toe.gif" type="image/gif">Its toe</object>'
    item = only(package(item=qti2(stem, choice), files={"media/weld 1.png": WELD, "questions/toe.gif": TOE}))
    assert {each.content for each in item.pictures} == {WELD, TOE}
    assert item.tags == ()
    assert 'alt="Its toe"' in item.choices[0].text
    missing = only(package(item=qti2(stem), files={}))
    assert (missing.tags, missing.pictures) == (("figure:weld%201.png",), ())


def test_canvas_keeps_its_pictures_in_a_place_of_its_own() -> None:
    item = only(
        package(
            item=canvas('<p>What? <img src="$IMS-CC-FILEBASE$/Uploaded%20Media/w.png?canvas_download=1"></p>'),
            files={"web_resources/Uploaded Media/w.png": WELD, "questions/toe.gif": TOE},
        )
    )
    assert {each.content for each in item.pictures} == {WELD, TOE}
    assert item.choices[1].text.startswith('<img src="picture:')
    assert item.tags == ()


def test_no_address_leads_out_of_the_package() -> None:
    for address in ("../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://169.254.169.254/w.png"):
        item = only(package(item=qti2(f'<p>What? <img src="{address}"/></p>'), files={"a.png": WELD}))
        assert item.pictures == ()


def test_embedded_pictures_are_taken_out_of_any_text() -> None:
    data = base64.b64encode(WELD).decode()
    item = sound(
        Item(
            Kind.SINGLE,
            f"![A weld](data:image/png;base64,{data}) What?",
            markup=Markup.MARKDOWN,
            choices=(Choice("![x](data:image/svg+xml,%3Csvg/%3E)", WHOLE), Choice("No")),
        ),
        position=1,
        raw="",
    )
    assert isinstance(item, Item)
    (picture,) = item.pictures
    assert item.stem == f"![A weld](picture:{picture.digest}) What?"
    assert item.choices[0].text == "![x]()"
    assert item.tags == ("figure:embedded",)


def test_a_question_has_so_many_pictures_at_most() -> None:
    many = "".join(f'<img src="data:image/png;base64,{base64.b64encode(png(1, n)).decode()}">' for n in range(1, 30))
    item = sound(
        Item(Kind.SINGLE, f"<p>{many}</p>", markup=Markup.HTML, choices=(Choice("a", WHOLE), Choice("b"))),
        position=1,
        raw="",
    )
    assert isinstance(item, Item)
    assert len(item.pictures) == MOST


def test_tags_without_an_end_cost_no_time() -> None:
    text = "<p>a</p>" + '<img src="' * 200_000
    found = sound(Item(Kind.SINGLE, f"{text}data:image", markup=Markup.HTML), position=1, raw="")
    assert isinstance(found, Rejected)


@pytest.mark.parametrize("format", [Format.MOODLE, Format.QTI2, Format.JSON], ids=str)
def test_pictures_are_written_and_read_back(format: Format) -> None:
    item, stream = pictured(), io.BytesIO()
    losses = write([item], format, stream)
    assert "pictures" not in {loss.field for loss in losses}
    back = only(stream.getvalue())
    assert set(back.pictures) == set(item.pictures)
    assert {each.content for each in back.pictures} == {WELD, TOE}
    for picture in item.pictures:
        assert picture.digest in back.stem + back.choices[0].text
    if format is not Format.QTI2:  # which spells HTML differently
        assert back == item


def test_markdown_carries_its_pictures_too() -> None:
    weld = picture_of(WELD, "weld.png")
    assert weld is not None
    item = Item(
        Kind.SINGLE, f"What? ![A weld](picture:{weld.digest})", markup=Markup.MARKDOWN, pictures=(weld,),
        choices=(Choice("a", WHOLE), Choice("b")),
    )  # fmt: skip
    for format in (Format.MOODLE, Format.QTI2):
        stream = io.BytesIO()
        assert write([item], format, stream) == []
        assert only(stream.getvalue()).pictures == (weld,)


@pytest.mark.parametrize("format", [Format.CSV, Format.GIFT], ids=str)
def test_a_format_without_pictures_says_so(format: Format) -> None:
    losses = write([pictured()], format, io.BytesIO())
    assert [loss.reason for loss in losses if loss.field == "pictures"] == [
        "It holds no pictures: its texts name them by their digests only."
    ]


def test_a_picture_counts_as_wording_and_its_files_name_does_not() -> None:
    assert content_hash(pictured()) == content_hash(only(moodle()))
    assert content_hash(pictured()) != content_hash(only(moodle(toe=gif(9, 9))))


# --- shown ---


def test_only_our_own_addresses_are_shown() -> None:
    digest = "ab" * 32
    shown = safe_html(f'<p>A <img src="picture:{digest}" alt="weld" onerror="x()"> B</p>', "html")
    assert shown == f'<p>A <img src="/api/quiz/pictures/{digest}" alt="weld" loading="lazy"> B</p>'
    assert bare_text(f'<p>A <img src="picture:{digest}" alt="weld"> B</p>', "html") == "A [picture: weld] B"
    marked = safe_html(f"A ![weld](picture:{digest}) *B*", "markdown")
    assert marked == f'A <img src="/api/quiz/pictures/{digest}" alt="weld" loading="lazy"> <em>B</em>'


@pytest.mark.parametrize(
    "hostile",
    [
        '<img src="https://elsewhere.example/spy.png">',
        '<img src="javascript:alert(1)">',
        '<img src="/api/quiz/pictures/../../admin/logout">',
        f'<img src="picture:{"ab" * 32}/../x">',
        f'<img src="picture:{"ab" * 31}">',
        f'<img/src="https://elsewhere.example/" src="picture:{"ab" * 32}" >',
        f"<p title=\"<img src='picture:{'ab' * 32}'>\"><img src=https://elsewhere.example/x <p>",
        f'<svg><img src="picture:{"ab" * 32}"><image href="https://elsewhere.example/x"/></svg>',
        f'<img srcset="https://elsewhere.example/x" src="picture:{"ab" * 32}" style="position:fixed">',
        f'![x](picture:{"ab" * 32} "y" onload=alert)',
    ],
    ids=[f"hostile-{number}" for number in range(10)],
)
@pytest.mark.parametrize("markup", ["html", "markdown", "plain"])
def test_nothing_else_is_loaded_and_nothing_runs(hostile: str, markup: str) -> None:
    shown = html.fragment_fromstring(safe_html(hostile, markup) or "-", create_parent="div")
    for element in shown.iter():
        assert set(element.attrib) <= {"src", "alt", "loading", "title"}
        source = str(element.get("src", "/api/quiz/pictures/" + "0" * 64))
        assert len(source) == len("/api/quiz/pictures/") + 64
        assert source.startswith("/api/quiz/pictures/")
        assert element.tag not in ("svg", "image", "script")


# --- kept ---


def imported(bank: Bank, content: bytes | None = None) -> Any:
    return files.import_file(bank=bank, stream=io.BytesIO(content or moodle()), filename="bank.xml")


@pytest.mark.django_db
def test_an_import_keeps_pictures_once_and_a_second_run_writes_no_row() -> None:
    bank, other = make_bank(), make_bank()
    run = imported(bank)
    assert (run.created, run.remarks) == (1, [])
    kept = {each.digest: each for each in Picture.objects.filter(bank=bank)}
    assert {(each.media_type, each.width, each.height) for each in kept.values()} == {
        ("image/png", 3, 2),
        ("image/gif", 5, 4),
    }
    assert default_storage.open(next(p.path for p in kept.values() if p.width == 3)).read() == WELD
    again = imported(bank)
    assert (again.unchanged, again.created, again.updated) == (1, 0, 0)
    assert (QuestionVersion.objects.count(), Picture.objects.count()) == (1, 2)
    imported(other)
    assert Picture.objects.count() == 4
    stored = [path for path in Path(default_storage.location).rglob("*") if path.is_file()]  # type: ignore[attr-defined]
    assert len(stored) == 2, "one file for each content"


@pytest.mark.django_db
def test_an_import_says_which_pictures_it_left_out() -> None:
    run = imported(make_bank(), moodle(weld=SVG))
    assert run.remarks[0] == "W1: the picture weld 1.png was not taken."
    assert "PNG, JPEG, GIF or WebP" in run.remarks[-1]


@pytest.mark.django_db
def test_a_bank_is_exported_with_its_pictures_and_read_back_unchanged() -> None:
    bank = make_bank()
    imported(bank)
    stream = io.BytesIO()
    count, losses = files.export_questions(bank=bank, format="moodle", stream=stream)
    assert (count, losses) == (1, [])
    assert imported(bank, stream.getvalue()).unchanged == 1
    lost = Picture.objects.order_by("width").first()
    assert lost is not None
    default_storage.delete(lost.path)
    _, losses = files.export_questions(bank=bank, format="moodle", stream=io.BytesIO())
    assert [(loss.field, loss.reason) for loss in losses] == [
        ("pictures", "A picture that it shows is not in the file.")
    ]


@pytest.mark.django_db
def test_a_title_is_kept_beside_the_wording_and_comes_out_again() -> None:
    bank = make_bank()
    imported(bank)
    question = Question.objects.get()
    assert question.title == "Toe of a weld"
    renamed = imported(bank, moodle().replace(b"Toe of a weld", b"Toe"))
    assert renamed.updated == 1
    question.refresh_from_db()
    assert (question.title, question.versions.count()) == ("Toe", 1), "a title is no wording"
    assert imported(bank, moodle().replace(b"Toe of a weld", b"Toe")).unchanged == 1
    for format in ("csv", "json", "gift", "moodle"):
        stream = io.BytesIO()
        files.export_questions(bank=bank, format=format, stream=stream)
        assert only(stream.getvalue()).title == "Toe"


# --- seen by whom ---


def address(bank: Bank) -> str:
    return f"/api/quiz/pictures/{Picture.objects.filter(bank=bank, width=3).get().digest}"


@pytest.mark.django_db
def test_pictures_of_shared_banks_are_anybodys() -> None:
    bank = make_bank()
    imported(bank)
    response = APIClient().get(address(bank))
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == WELD
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    again = APIClient().get(address(bank), headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


@pytest.mark.django_db
def test_pictures_of_an_organisations_bank_are_its_members(
    organisation: Organisation, member: User, stranger: User
) -> None:
    bank = make_bank(organisation)
    imported(bank)
    assert APIClient().get(address(bank)).status_code == 404
    client = APIClient()
    client.force_authenticate(stranger)
    assert client.get(address(bank)).status_code == 404
    client.force_authenticate(member)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address(bank)).status_code == 200
    assert len(queries) <= 3
    page = Client()
    page.force_login(member)
    assert page.get(address(bank)).status_code == 200, "a page's <img> comes with the session"
    assert client.get("/api/quiz/pictures/" + "0" * 64).status_code == 404


@pytest.mark.django_db
def test_the_quiz_shows_pictures_by_their_addresses() -> None:
    bank = make_bank()
    imported(bank)
    (question,) = APIClient().get("/api/quiz").json()["questions"]
    assert f'<img src="{address(bank)}" alt="A weld" loading="lazy">' in question["stem"]
    assert any("/api/quiz/pictures/" in choice["text"] for choice in question["choices"])
