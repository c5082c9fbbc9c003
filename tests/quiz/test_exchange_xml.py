"""Moodle XML, QTI and packages of them."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal

import pytest

from quiz.exchange import Choice, Format, Item, Kind, Markup, NotReadable, Pair, Range, Rejected, read, write
from tests.quiz.test_exchange_reading import found_in, only, refused, right

QTI = 'xmlns="http://www.imsglobal.org/xsd/imsqti_v2p2" identifier="Q1" title="A title"'


def moodle(*questions: str) -> str:
    return f"<quiz>{''.join(questions)}</quiz>"


def asked(kind: str, rest: str, stem: str = "<p>How?</p>") -> str:
    return (
        f'<question type="{kind}"><name><text>Name</text></name><questiontext format="html"><text><![CDATA[{stem}]]>'
        f"</text></questiontext>{rest}</question>"
    )


def test_moodle_questions_of_every_kind() -> None:
    def answer(text: str, fraction: str = "100", more: str = "") -> str:
        return f'<answer fraction="{fraction}" format="html"><text>{text}</text>{more}</answer>'

    content = moodle(
        '<question type="category"><category><text>$course$/top/Welding</text></category></question>',
        asked("multichoice", answer("x") + answer("y", "-33.33333")),
        asked("multichoice", "<single>false</single>" + answer("x", "50") + answer("y", "50") + answer("z", "0")),
        asked("truefalse", answer("true", "0") + answer("false")),
        asked("shortanswer", "<usecase>1</usecase>" + answer("Vienna") + answer("Graz", "50")),
        asked("numerical", answer("2.5", more="<tolerance>0.5</tolerance>") + answer("*", "0")),
        asked("matching", "".join(
            f'<subquestion format="html"><text>{left}</text><answer><text>{right}</text></answer></subquestion>'
            for left, right in (("a", "1"), ("b", "2"), ("", "3"))
        )),
        asked("ordering", answer("first") + answer("second")),
        asked("essay", ""),
    )  # fmt: skip
    found = found_in(content)
    items = [item for item in found if isinstance(item, Item)]
    assert [item.kind for item in items] == [
        Kind.SINGLE, Kind.MULTIPLE, Kind.TRUE_FALSE, Kind.SHORT, Kind.NUMERIC, Kind.MATCHING, Kind.ORDERING,
    ]  # fmt: skip
    assert {item.category for item in items} == {("Welding",)}
    assert items[0].choices[1].share == Decimal("-0.3333333")
    assert right(items[2]) == ["False"]
    assert items[3].is_case_sensitive
    assert items[4].ranges == (Range(Decimal(2), Decimal(3)),)
    assert items[5].pairs == (Pair("a", "1"), Pair("b", "2"), Pair("", "3"))
    assert items[6].sequence == ("first", "second")
    assert [(each.code, each.is_unsupported) for each in found if isinstance(each, Rejected)] == [("essay", True)]


def test_pictures_that_moodle_packs_into_a_question_are_named() -> None:
    stem = '<p><img src="@@PLUGINFILE@@/weld.png"></p>'
    content = moodle(asked("truefalse", '<answer fraction="100"><text>true</text></answer>'
                                        '<answer fraction="0"><text>false</text></answer>', stem))  # fmt: skip
    content = content.replace("</questiontext>", '<file name="weld.png" encoding="base64">AAAA</file></questiontext>')
    assert only(content).tags == ("figure:weld.png",)


def qti2(body: str, declaration: str, processing: str = "") -> str:
    return f"<assessmentItem {QTI}>{declaration}<itemBody>{body}</itemBody>{processing}</assessmentItem>"


def declared(values: str, *, kind: str = "identifier", cardinality: str = "single", mapping: str = "") -> str:
    correct = "".join(f"<value>{value}</value>" for value in values.split(","))
    return (
        f'<responseDeclaration identifier="R" cardinality="{cardinality}" baseType="{kind}"><correctResponse>{correct}'
        f"</correctResponse>{mapping}</responseDeclaration>"
    )


CHOICES = """<p>Which gas?</p><choiceInteraction responseIdentifier="R" maxChoices="1"><prompt>Choose.</prompt>
<simpleChoice identifier="A">Argon <feedbackInline identifier="A">Yes, inert.</feedbackInline></simpleChoice>
<simpleChoice identifier="B">Oxygen</simpleChoice></choiceInteraction>"""


def test_a_qti_choice_with_its_prompt_and_feedback() -> None:
    item = only(qti2(CHOICES, declared("A")))
    assert (item.stem, item.external_id, item.title) == ("Which gas?\nChoose.", "Q1", "A title")
    assert item.choices == (Choice("Argon", Decimal(1), "Yes, inert."), Choice("Oxygen"))
    assert item.markup is Markup.PLAIN


def test_a_mapping_gives_part_marks_unless_only_the_match_counts() -> None:
    mapping = '<mapping><mapEntry mapKey="A" mappedValue="2"/><mapEntry mapKey="B" mappedValue="1"/></mapping>'
    declaration = declared("A", mapping=mapping)
    assert [choice.share for choice in only(qti2(CHOICES, declaration)).choices] == [1, Decimal("0.5")]
    matched = qti2(CHOICES, declaration, '<responseProcessing template="http://x/match_correct"/>')
    assert [choice.share for choice in only(matched).choices] == [1, 0]


def test_a_blank_stands_where_text_goes_on() -> None:
    entry = '<textEntryInteraction responseIdentifier="R"/>'
    inside = only(qti2(f"<p>The {entry} of Austria.</p>", declared("capital", kind="string")))
    after = only(qti2(f"<p>What is it?</p><p>{entry}</p>", declared("capital", kind="string")))
    assert (inside.stem, after.stem) == ("The _____ of Austria.", "What is it?")
    assert inside.kind is Kind.SHORT


@pytest.mark.parametrize(
    ("equal", "expected"),
    [
        ('<equal toleranceMode="absolute" tolerance="1 2">', ("199", "202")),
        ('<equal toleranceMode="relative" tolerance="5">', ("190", "210")),
        ('<equal toleranceMode="exact">', ("200", "200")),
    ],
)
def test_numbers_with_the_tolerance_of_the_processing(equal: str, expected: tuple[str, str]) -> None:
    processing = (
        f'<responseProcessing><responseCondition><responseIf>{equal}<variable identifier="R"/><correct identifier="R"/>'
        '</equal><setOutcomeValue identifier="SCORE"><baseValue baseType="float">1</baseValue></setOutcomeValue>'
        "</responseIf></responseCondition></responseProcessing>"
    )
    body = '<p>How many?</p><p><textEntryInteraction responseIdentifier="R"/></p>'
    item = only(qti2(body, declared("200", kind="float"), processing))
    assert item.ranges == (Range(Decimal(expected[0]), Decimal(expected[1])),)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('<extendedTextInteraction responseIdentifier="R"/>', "essay"),
        ('<hotspotInteraction responseIdentifier="R"/>', "hotspot"),
        ('<graphicGapMatchInteraction responseIdentifier="R"/>', "graphic_gap_match"),
        (CHOICES + CHOICES, "composite"),
        ("<p>Read this.</p>", "description"),
    ],
)
def test_interactions_without_a_place_here_are_named(body: str, code: str) -> None:
    rejected = refused(qti2(body, declared("A")))
    assert (rejected.code, rejected.is_unsupported) == (code, True)


def test_a_question_without_its_key_is_refused() -> None:
    bare = '<responseDeclaration identifier="R" cardinality="single" baseType="identifier"/>'
    assert refused(qti2(CHOICES, bare)).code == "no_correct_answer"


def qti1(presentation: str, conditions: str, kind: str = "") -> str:
    metadata = (
        f"<qtimetadatafield><fieldlabel>question_type</fieldlabel><fieldentry>{kind}</fieldentry></qtimetadatafield>"
    )
    return (
        '<questestinterop><item ident="i1" title="T">'
        f"<itemmetadata><qtimetadata>{metadata if kind else ''}</qtimetadata></itemmetadata>"
        f"<presentation>{presentation}</presentation><resprocessing>{conditions}</resprocessing></item>"
        "</questestinterop>"
    )


def listed(*texts: str, name: str = "r", cardinality: str = "Single", left: str = "") -> str:
    labels = "".join(
        f'<response_label ident="{text}"><material><mattext>{text}</mattext></material></response_label>'
        for text in texts
    )
    before = f"<material><mattext>{left}</mattext></material>" if left else ""
    offered = f"{before}<render_choice>{labels}</render_choice>"
    return f'<response_lid ident="{name}" rcardinality="{cardinality}">{offered}</response_lid>'


def marked(condition: str, score: str = "100") -> str:
    return (
        f"<respcondition><conditionvar>{condition}</conditionvar>"
        f'<setvar varname="SCORE" action="Set">{score}</setvar></respcondition>'
    )


def equal(value: str, name: str = "r") -> str:
    return f'<varequal respident="{name}">{value}</varequal>'


STEM = '<material><mattext texttype="text/html">&lt;div&gt;&lt;p&gt;How?&lt;/p&gt;&lt;/div&gt;</mattext></material>'


def test_qti_12_choices_by_points() -> None:
    item = only(qti1(STEM + listed("x", "y", "z"), marked(equal("y"), "5") + marked(equal("z"), "10")))
    assert (item.stem, item.markup) == ("How?", Markup.PLAIN)
    assert [choice.share for choice in item.choices] == [0, Decimal("0.5"), 1]


def test_qti_12_several_right_by_a_set_that_must_be_whole() -> None:
    whole = f"<and>{equal('x')}{equal('z')}<not>{equal('y')}</not></and>"
    item = only(qti1(STEM + listed("x", "y", "z", cardinality="Multiple"), marked(whole)))
    assert item.kind is Kind.MULTIPLE
    assert [choice.share for choice in item.choices] == [Decimal("0.5"), 0, Decimal("0.5")]


def test_qti_12_numbers_between_bounds() -> None:
    typed = (
        '<response_str ident="r"><render_fib fibtype="Decimal"><response_label ident="a"/></render_fib></response_str>'
    )
    between = '<vargte respident="r">1.5</vargte><varlte respident="r">2.5</varlte>'
    item = only(qti1(STEM + typed, marked(between) + marked(equal("7"), "50")))
    assert item.ranges == (
        Range(Decimal("1.5"), Decimal("2.5")),
        Range(Decimal(7), Decimal(7), Decimal("0.5")),
    )


def test_qti_12_matching_keeps_what_belongs_to_nothing() -> None:
    sides = listed("1", "2", "3", name="a", left="iron") + listed("1", "2", "3", name="b", left="zinc")
    item = only(qti1(STEM + sides, marked(equal("1", "a")) + marked(equal("2", "b"))))
    assert item.pairs == (Pair("iron", "1"), Pair("zinc", "2"), Pair("", "3"))


def test_qti_12_kinds_of_canvas_without_a_place_here_are_named() -> None:
    for kind, code in (
        ("essay_question", "essay"),
        ("calculated_question", "formula"),
        ("text_only_question", "description"),
    ):
        assert refused(qti1(STEM, "", kind)).code == code


def test_xml_that_breaks_off_gives_what_came_before() -> None:
    good = asked("truefalse", '<answer fraction="100"><text>true</text></answer>'
                              '<answer fraction="0"><text>false</text></answer>')  # fmt: skip
    found = found_in(f"<quiz>{good}{good}<question type='essay'><name>")
    assert [isinstance(each, Item) for each in found] == [True, True, False]
    assert found[2].code == "damaged"  # type: ignore[union-attr]


# -- packages --


def package(**parts: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_a_package_is_read_part_by_part_and_a_bad_part_costs_itself() -> None:
    content = package(**{
        "imsmanifest.xml": "<manifest><resources/></manifest>",
        "a.xml": qti2(CHOICES, declared("A")),
        "b.xml": "<assessmentItem><itemBody>",
        "c.xml": "<settings/>",
        "d/e.xml.qti": qti1(STEM + listed("x", "y"), marked(equal("x"))),
        "__MACOSX/._a.xml": "\x00\x05",
        "picture.png": "not XML",
    })  # fmt: skip
    reading = read(io.BytesIO(content))
    found = list(reading)
    assert reading.format is Format.PACKAGE
    assert [isinstance(each, Item) for each in found] == [True, False, True]
    assert found[1].position == 2  # type: ignore[union-attr]


def test_what_the_manifest_says_of_a_part_is_read_with_it() -> None:
    item = Item(
        Kind.ORDERING, "Order them.", sequence=("one", "two"), category=("Welding", "Safety"), references=("4.1",),
        tags=("steel",), difficulty=Decimal("0.3"), external_id="Ä 7",
    )  # fmt: skip
    stream = io.BytesIO()
    assert write([item], "qti2", stream) == []
    assert "imsmanifest.xml" in zipfile.ZipFile(stream).namelist()
    stream.seek(0)
    assert list(read(stream)) == [item]


def test_canvas_writes_a_quiz_twice_and_it_is_read_once() -> None:
    short = qti1(STEM + listed("x", "y"), marked(equal("x")))
    content = package(**{"g1/assessment_qti.xml": short, "non_cc_assessments/g1.xml.qti": short})
    assert len(found_in(content)) == 1


def test_a_package_without_questions_and_an_office_file_are_refused() -> None:
    for content, code in (
        (package(**{"a.txt": "x"}), "no_questions"),
        (package(**{"[Content_Types].xml": "x"}), "office"),
    ):
        with pytest.raises(NotReadable) as refusal:
            read(io.BytesIO(content))
        assert refusal.value.code == code
