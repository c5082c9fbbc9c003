"""Real question banks and regulations: every question read, or named with the reason why not."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quiz.exchange import (
    WRITTEN,
    Item,
    Kind,
    NotReadable,
    Rejected,
    compare_clauses,
    compare_items,
    content_hash,
    read,
    read_clauses,
    write,
)
from quiz.exchange.gift_parsing import Answer, Number, Question, Text, blocks, categories_in, question_in
from quiz.exchange.texts import section_of

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere"))
pytestmark = pytest.mark.skipif(
    not (FOLDER / "quiz").is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"
)
POOL = "quiz/ham_technician_2026-2030"
OLD_POOL = "quiz/ham_technician_2022-2026_superseded.json"


def questions(name: str) -> list[Item | Rejected]:
    with (FOLDER / name).open("rb") as stream:
        return list(read(stream, filename=name))


def packed(name: str) -> dict[str, bytes]:
    with tarfile.open(FOLDER / "formats" / name) as archive:
        return {
            member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive.getmembers()
            if member.isfile()
        }


def test_a_pool_is_the_same_from_json_and_from_csv() -> None:
    from_json, from_csv = questions(f"{POOL}.json"), questions(f"{POOL}.csv")
    assert len(from_json) == len(from_csv) == 409
    assert from_json == from_csv
    assert all(isinstance(item, Item) and item.kind is Kind.SINGLE for item in from_json)
    assert [content_hash(item) for item in from_json] == [content_hash(item) for item in from_csv]


def test_a_pools_right_answers_are_those_its_publisher_marks() -> None:
    published = json.loads((FOLDER / f"{POOL}.json").read_text(encoding="utf-8"))
    for item, said in zip(questions(f"{POOL}.json"), published, strict=True):
        assert item.external_id == said["id"]
        right = [at for at, choice in enumerate(item.choices) if choice.share == 1]
        assert right == [said["correct"]] == ["ABCD".index(said["correct_letter"])]


def test_a_pools_references_are_read_one_clause_each() -> None:
    citing = [item for item in questions(f"{POOL}.json") if item.references]
    assert len(citing) == 68
    sections = {section_of(reference) for item in citing for reference in item.references}
    assert len({section for section in sections if section.startswith("97.")}) == 30
    assert sections - {section for section in sections if section.startswith("97.")} == {"1.949"}
    by_id = {item.external_id: item.references for item in citing}
    assert ("97.305(a)", "97.305(c)") in by_id.values()


def test_a_pools_pictures_are_named() -> None:
    tagged = [item.tags for item in questions(f"{POOL}.json") if item.tags]
    assert len(tagged) == 12
    assert set(tagged) == {("figure:t-1.png",), ("figure:t-2.png",), ("figure:t-3.png",)}


def test_opentrivia_is_read_whole() -> None:
    found = questions("quiz/opentrivia_brain-teasers.txt")
    assert len(found) == 207
    assert Counter(item.kind for item in found) == {Kind.SINGLE: 199, Kind.TRUE_FALSE: 8}


def test_a_markdown_document_is_read_with_its_explanations() -> None:
    found = questions("quiz/javascript_questions.md")
    assert len(found) == 155
    assert all(item.kind is Kind.SINGLE and item.explanation for item in found)
    assert [item.external_id for item in found] == [str(number) for number in range(1, 156)]
    letters = [line[-1] for line in (FOLDER / "quiz/javascript_questions.md").read_text().splitlines()
               if line.startswith("#### Answer: ")]  # fmt: skip
    assert ["ABCDEFG"[[choice.share for choice in item.choices].index(1)] for item in found] == letters


def test_two_editions_of_a_pool_are_compared() -> None:
    old, new = questions(OLD_POOL), questions(f"{POOL}.json")
    found = compare_items(old, new)
    assert len(found.identical) + len(found.changed) == 404
    assert len(found.identical) == 223
    assert (len(found.added), len(found.removed)) == (5, 7)
    by_id = {item.external_id: item for item in new}
    proposed = {gone.key: gone.successors[0] for gone in found.removed if gone.successors}
    assert {key: successor.key for key, successor in proposed.items()} == {
        "T5A12": "T5A04", "T5C13": "T5C06", "T6A12": "T6A09", "T8D13": "T8D02", "T9A12": "T9A09",
    }  # fmt: skip
    assert by_id[proposed["T8D13"].key].stem == "What is FT8?"
    moved = {change.key: change.successors[0].key for change in found.changed if change.successors}
    assert moved == {"T2A06": "T1D12"}


def test_two_editions_of_a_regulation_are_compared() -> None:
    editions = []
    for name in ("cfr12_1013_2011-31723.json", "cfr12_1013_2016-28710.json"):
        with (FOLDER / "clauses" / name).open("rb") as stream:
            editions.append(list(read_clauses(stream)))
    assert [len(edition) for edition in editions] == [425, 434]
    assert not any(isinstance(clause, Rejected) for edition in editions for clause in edition)
    found = compare_clauses(*editions)
    assert (len(found.added), len(found.removed), len(found.changed)) == (12, 3, 1)
    assert found.changed[0].key == "1013.2(e)-Interp-9"
    assert {gone.key: gone.successors[0].key for gone in found.removed} == {
        "1013.2(e)-Interp-9-i": "1013.2(e)-Interp-11-i",
        "1013.2(e)-Interp-9-ii": "1013.2(e)-Interp-11-ii",
        "1013.2(e)-Interp-9-iii": "1013.2(e)-Interp-11-iii",
    }


# -- the GIFT suite: our parse in the words of the suite's --


def said(text: Text | None) -> dict[str, str] | None:
    return {"format": text.format, "text": text.text} if text is not None else None


def as_number(number: Number) -> dict[str, Any]:
    low, high = float(number.low), float(number.high)
    if number.kind == "simple":
        return {"type": "simple", "number": low}
    if number.kind == "high-low":
        return {"type": "high-low", "numberHigh": high, "numberLow": low}
    middle = (number.low + number.high) / 2
    return {"type": "range", "number": float(middle), "range": float(number.high - middle)}


def as_choice(answer: Answer) -> dict[str, Any]:
    return {
        "isCorrect": answer.is_right,
        "weight": float(answer.weight) if answer.weight is not None else None,
        "text": as_number(answer.number) if answer.number is not None else said(answer.text),
        "feedback": said(answer.feedback),
    }


def as_suite(question: Question) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": question.id,
        "tags": question.tags or None,
        "type": question.type,
        "title": question.title,
        "stem": said(question.stem),
        "hasEmbeddedAnswers": question.is_embedded,
    }
    if question.type != "Description":
        told["globalFeedback"] = said(question.general)
    if question.type == "TF":
        told["isTrue"] = question.is_true
        told["trueFeedback"], told["falseFeedback"] = map(said, question.feedbacks)
    if question.type in ("MC", "Short") or (question.type == "Numerical" and question.is_listed):
        told["choices"] = [as_choice(answer) for answer in question.answers]
    elif question.type == "Numerical":
        told["choices"] = as_number(question.answers[0].number)  # type: ignore[arg-type]
    if question.type == "Matching":
        told["matchPairs"] = [
            {"subquestion": said(answer.text), "subanswer": answer.feedback.text if answer.feedback else ""}
            for answer in question.answers
        ]
    return told


def parsed(text: str) -> Iterator[dict[str, Any]]:
    for block in blocks(text):
        titles, rest = categories_in(block)
        yield from ({"type": "Category", "title": title} for title in titles)
        question = question_in(rest)
        if question is not None:
            yield as_suite(question)


def test_the_gift_suite_is_parsed_as_expected() -> None:
    files = packed("gift_conformance.tar.gz")
    names = sorted(name for name in files if name.endswith(".gift"))
    assert len(names) == 51
    different = []
    for name in names:
        expected = json.loads(files[name.replace(".gift", ".json")])
        if list(parsed(files[name].decode())) != expected:
            different.append(name)
    assert different == []


def test_every_question_of_the_gift_suite_is_an_item_or_named() -> None:
    counts: Counter[str] = Counter()
    for name, content in packed("gift_conformance.tar.gz").items():
        if name.endswith(".gift"):
            for found in read(io.BytesIO(content), filename=name):
                counts[found.kind if isinstance(found, Item) else found.code] += 1
    assert counts == {
        Kind.SINGLE: 27, Kind.SHORT: 19, Kind.TRUE_FALSE: 17, Kind.NUMERIC: 14, Kind.MULTIPLE: 4, Kind.MATCHING: 4,
        "essay": 8, "description": 7,
    }  # fmt: skip


def test_a_moodle_bank_is_read_and_what_has_no_place_is_named() -> None:
    found = questions("formats/moodle_bank_example.xml")
    items = [item for item in found if isinstance(item, Item)]
    assert Counter(item.kind for item in items) == {Kind.SINGLE: 5, Kind.NUMERIC: 4}
    rejected = [each for each in found if isinstance(each, Rejected)]
    assert all(each.is_unsupported for each in rejected)
    assert Counter(each.code for each in rejected) == {"calculatedmulti": 2, "essay": 1, "description": 1}
    pi = next(item for item in items if item.title == "num:float")
    assert (pi.ranges[0].low, pi.ranges[0].high) == (Decimal("3.140592653589793"), Decimal("3.142592653589793"))
    assert pi.category == ("moodle2amc", "num")
    pictured = next(item for item in items if item.title == "html layout")
    assert pictured.tags == ("figure:dessin.svg",), "SVG is not taken"
    (picture,) = pictured.pictures
    assert (picture.name, picture.media_type) == ("4.png", "image/png")
    assert f'src="picture:{picture.digest}"' in pictured.stem
    assert "@@PLUGINFILE@@/dessin.svg" in pictured.stem


# -- QTI: 245 files of single items, quizzes, banks, packages, and files around them --


def qti_report() -> tuple[Counter[str], Counter[str], Counter[str], Counter[str]]:
    """(items by kind, unsupported by code, rejected by code, files refused by code)."""
    items: Counter[str] = Counter()
    unsupported: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for name, content in packed("qti_fixtures_instructure.tar.gz").items():
        try:
            for found in read(io.BytesIO(content), filename=name):
                if isinstance(found, Item):
                    items[found.kind] += 1
                else:
                    (unsupported if found.is_unsupported else rejected)[found.code] += 1
        except NotReadable as error:
            refused[error.code] += 1
    return items, unsupported, rejected, refused


def test_qti_files_are_read_or_named() -> None:
    assert len(packed("qti_fixtures_instructure.tar.gz")) == 245
    items, unsupported, rejected, refused = qti_report()
    assert items == {
        Kind.SINGLE: 42, Kind.TRUE_FALSE: 37, Kind.MULTIPLE: 20, Kind.SHORT: 15, Kind.NUMERIC: 15, Kind.MATCHING: 12,
        Kind.ORDERING: 5,
    }  # fmt: skip
    assert unsupported == {
        "essay": 30, "adaptive": 13, "description": 10, "formula": 8, "composite": 7, "hotspot": 7,
        "fill_in_multiple_blanks": 6, "template": 5, "upload": 5, "gap_match": 4, "multiple_dropdowns": 4,
        "associate": 3,
        "bank_entry": 2, "graphic_gap_match": 2, "graphic_order": 2, "hottext": 2, "categorization": 1, "drawing": 1,
        "graphic_associate": 1, "position_object": 1, "select_point": 1, "slider": 1,
    }  # fmt: skip
    # Damaged: tags that do not match. Without a key: two questionnaires, and one marked by a rule of its own.
    assert rejected == {"damaged": 4, "no_correct_answer": 3}
    # Manifests, tests that list their items, settings of Canvas and the like; 3 with declarations in their DOCTYPE.
    assert refused == {"unknown_xml": 49, "no_quiz": 10, "xml_forbidden": 3, "damaged": 2}


def test_real_questions_come_back_from_every_format_that_is_written() -> None:
    names = [f"{POOL}.json", "quiz/javascript_questions.md", "quiz/opentrivia_brain-teasers.txt"]
    for name in names:
        items = [item for item in questions(name) if isinstance(item, Item)]
        for format in WRITTEN:
            stream = io.BytesIO()
            assert write(items, format, stream) == []
            stream.seek(0)
            assert list(read(stream)) == items, (name, format)
