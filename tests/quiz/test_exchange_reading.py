"""Questions from files of every format: what is meant, and what is refused with which reason."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest

from quiz.exchange import Accepted, Choice, Format, Item, Kind, Markup, NotReadable, Pair, Range, Rejected, read

ONE, NONE = Decimal(1), Decimal(0)


def found_in(content: str | bytes, **how: str) -> list[Item | Rejected]:
    return list(read(io.BytesIO(content.encode() if isinstance(content, str) else content), **how))


def only(content: str | bytes, **how: str) -> Item:
    (item,) = found_in(content, **how)
    assert isinstance(item, Item), item
    return item


def refused(content: str | bytes, **how: str) -> Rejected:
    (rejected,) = found_in(content, **how)
    assert isinstance(rejected, Rejected), rejected
    return rejected


def right(item: Item) -> list[str]:
    return [choice.text for choice in item.choices if choice.share > 0]


# -- tables --


@pytest.mark.parametrize(
    "headings",
    [
        "id,question,a,b,c,correct_letter",
        "Question ID;Question Text;Option A;Option B;Option C;Correct Answer",
        "No.\tStem\tChoice 1\tChoice 2\tChoice 3\tAnswer",
        "key|prompt|answer_1|answer_2|answer_3|Right answer",
    ],
)
def test_tables_are_read_by_common_headings(headings: str) -> None:
    mark = next(mark for mark in ";\t|," if mark in headings)
    item = only(f"{headings}\n" + mark.join(["Q7", "Which electrode?", "E6010", "E7018", "E6013", "B"]))
    assert (item.external_id, item.stem, right(item)) == ("Q7", "Which electrode?", ["E7018"])
    assert item.kind is Kind.SINGLE


def test_several_letters_are_a_question_with_several_right_answers() -> None:
    item = only("question,a,b,c,correct\nWhich are metals?,Iron,Wood,Zinc,A;C\n")
    assert item.kind is Kind.MULTIPLE
    assert [choice.share for choice in item.choices] == [Decimal("0.5"), NONE, Decimal("0.5")]


@pytest.mark.parametrize(("numbers", "expected"), [("0,1", ["x", "y"]), ("1,2", ["x", "y"]), ("2,0", ["z", "x"])])
def test_numbers_are_counted_as_the_whole_file_tells(numbers: str, expected: list[str]) -> None:
    first, second = numbers.split(",")
    rows = [f"One?,x,y,z,{first}", f"Two?,x,y,z,{second}"]
    rows += ["Three?,x,y,z,3"] if "0" not in numbers else []
    items = found_in("question,a,b,c,correct\n" + "\n".join(rows))
    assert [right(item) for item in items[:2]] == [[text] for text in expected]  # type: ignore[arg-type]


def test_a_number_that_could_be_counted_from_either_end_is_refused() -> None:
    assert refused("question,a,b,c,correct\nOne?,x,y,z,1\n").code == "ambiguous_answer"


def test_a_text_that_is_also_a_letter_is_refused() -> None:
    assert refused("question,a,b,correct\nWhich vitamin?,B,A,A\n").code == "ambiguous_answer"


def test_a_letter_and_a_number_that_contradict_each_other_are_refused() -> None:
    found = found_in("question,a,b,c,correct,correct_letter\nOne?,x,y,z,0,A\nTwo?,x,y,z,1,C\n")
    assert [getattr(each, "code", "") for each in found] == ["", "contradictory_answer"]


def test_rows_without_choices_are_true_or_false_a_number_or_words() -> None:
    items = found_in("question,answer\nIron rusts.,TRUE\nHow many sides?,6\nWhich city?,Vienna\n")
    assert [item.kind for item in items] == [Kind.TRUE_FALSE, Kind.NUMERIC, Kind.SHORT]  # type: ignore[union-attr]


def test_a_bad_row_costs_itself_only() -> None:
    found = found_in("id,question,a,b,correct\n1,Good?,x,y,A\n2,,x,y,A\n3,Bad?,x,y,Q\n4,Also good?,x,y,B\n")
    assert [isinstance(each, Item) for each in found] == [True, False, False, True]
    assert [(each.position, each.code) for each in found if isinstance(each, Rejected)] == [
        (2, "no_question"),
        (3, "answer_not_a_choice"),
    ]


def test_references_are_parted_between_clause_numbers_only() -> None:
    items = found_in(
        "question,answer,refs\n"
        'One?,x,"[97.305(a), (c)]"\n'
        'Two?,x,"97.1, 97.3(a)(4)"\n'
        'Three?,x,"AWS D1.1, clause 4.2; EN 1090"\n'
    )
    assert [item.references for item in items] == [  # type: ignore[union-attr]
        ("97.305(a)", "97.305(c)"),
        ("97.1", "97.3(a)(4)"),
        ("AWS D1.1, clause 4.2", "EN 1090"),
    ]


def test_a_table_without_questions_says_which_headings_it_has() -> None:
    with pytest.raises(NotReadable, match="colour, size"):
        read(io.BytesIO(b"colour,size\nred,5\n"), format="csv")


# -- JSON --


def test_plain_objects_are_read_in_the_shapes_that_others_publish() -> None:
    shapes = [
        {"question": "Q?", "options": ["x", "y"], "answer": "y"},
        {"question": "Q?", "choices": {"A": "x", "B": "y"}, "correct": "B"},
        {"text": "Q?", "answers": [{"text": "x", "correct": False}, {"text": "y", "correct": True}]},
        {"question": "Q?", "correct_answer": "y", "incorrect_answers": ["x"]},
        {"id": "7", "question": "Q?", "answers": ["x", "y"], "correct": 1, "correct_letter": "B"},
    ]
    for shape in shapes:
        assert right(only(json.dumps({"questions": [shape]}))) == ["y"]


def test_our_own_objects_are_checked_field_by_field() -> None:
    good = {"kind": "numeric", "stem": "Pi?", "ranges": [{"low": "3.14", "high": "3.15"}]}
    bad = [{**good, "ranges": [{"low": "x", "high": "4"}]}, {**good, "ranges": [{"up": "4"}]}, {**good, "stem": 5}]
    found = found_in(json.dumps([good, *bad, {**good, "title": "last"}]))
    assert [getattr(each, "code", "") for each in found] == ["", "bad_shape", "bad_shape", "bad_shape", ""]


def test_a_json_file_that_is_cut_off_gives_what_came_before_the_cut() -> None:
    whole = json.dumps([{"question": f"Q{number}?", "answer": "x"} for number in range(5)])
    found = found_in(whole[:-12])
    assert [isinstance(each, Item) for each in found] == [True] * 4 + [False]
    assert found[-1].code == "damaged"  # type: ignore[union-attr]


# -- GIFT --


def test_gift_keeps_category_ids_tags_and_feedback() -> None:
    text = """
$CATEGORY: $course$/top/Welding/Joints//Seams

// a remark
// [id:W-1] [tag:steel] [tag:ref:4.1.2] [tag:difficulty:0.4]
::Preheat::[markdown]Which **steel**? {
  ~%-50%A36 # no
  =A572 # yes
  ####See clause 4.
}
"""
    item = only(text)
    assert (item.external_id, item.title, item.markup) == ("W-1", "Preheat", Markup.MARKDOWN)
    assert item.category == ("Welding", "Joints/Seams")
    assert (item.tags, item.references, item.difficulty) == (("steel",), ("4.1.2",), Decimal("0.4"))
    assert item.choices == (Choice("A36", Decimal("-0.5"), "no"), Choice("A572", ONE, "yes"))
    assert item.explanation == "See clause 4."


def test_gift_kinds() -> None:
    text = """
Iron rusts.{T#wrong#right}

Grant is {~buried =entombed} in a tomb.

How many?{#3.14:0.01}

Between?{#=%100%1..5 =%50%0..6}

Match.{=a -> 1 =b -> 2 = -> 3}

City?{=Vienna =%50%Graz}

Both?{~%50%x ~%50%y ~z}
"""
    items = [item for item in found_in(text) if isinstance(item, Item)]
    assert [item.kind.value for item in items] == [
        "true_false", "single", "numeric", "numeric", "matching", "short", "multiple",
    ]  # fmt: skip
    assert [choice.feedback for choice in items[0].choices] == ["right", "wrong"]
    assert items[1].stem == "Grant is _____ in a tomb."
    assert items[2].ranges == (Range(Decimal("3.13"), Decimal("3.15")),)
    assert items[3].ranges[1] == Range(NONE, Decimal(6), Decimal("0.5"))
    assert items[4].pairs[2] == Pair("", "3")
    assert items[5].accepted == (Accepted("Vienna"), Accepted("Graz", Decimal("0.5")))


def test_texts_of_several_formats_in_one_question_become_one_format() -> None:
    item = only("[html]<p>Is a < b?</p>{=[plain]a < b ~[html]<b>no</b>}")
    assert item.markup is Markup.HTML
    assert [choice.text for choice in item.choices] == ["a &lt; b", "<b>no</b>"]


def test_a_brace_left_open_costs_one_question() -> None:
    found = found_in("One?{=x ~y}\n\nTwo?{=x ~y\n\nThree?{=x ~y}\n\nFour? =x}\n\nFive?{}\n\nSix {=a} and {=b}\n")
    assert [getattr(each, "code", "") for each in found] == [
        "", "unclosed_brace", "", "unopened_brace", "essay", "cloze",
    ]  # fmt: skip
    assert [each.is_unsupported for each in found if isinstance(each, Rejected)] == [False, False, True, True]


def test_a_blank_line_inside_braces_is_forgiven() -> None:
    assert right(only("One?{=x\n\n~y}\n")) == ["x"]


# -- Aiken, OpenTrivia, markdown --


def test_aiken() -> None:
    found = found_in("What is iron?\nA. a metal\nB) a gas\nANSWER: A\n\nNo answer?\nA. x\nB. y\n")
    assert right(found[0]) == ["a metal"]  # type: ignore[arg-type]
    assert found[1].code == "no_correct_answer"  # type: ignore[union-attr]


def test_a_bad_aiken_question_does_not_take_the_next_with_it() -> None:
    found = found_in("One?\nA. x\nB. y\nANSWER: D\nTwo?\nA. x\nB. y\nANSWER: B\n")
    assert [getattr(each, "code", "") for each in found] == ["answer_not_a_choice", ""]


def test_opentrivia_needs_its_answer_among_the_choices() -> None:
    found = found_in("#Q Capital\nof Austria?\n^ Vienna\nA Graz\nB Vienna\n\n#Q Bad?\n^ z\nA x\nB y\n")
    assert (found[0].stem, right(found[0])) == ("Capital\nof Austria?", ["Vienna"])  # type: ignore[union-attr, arg-type]
    assert found[1].code == "answer_not_a_choice"  # type: ignore[union-attr]


def test_markdown_questions_keep_code_and_explanation() -> None:
    text = """# Questions

###### 1. What is printed?

```js
print(1)
```

- A: `1`
- B: `2`

<details><summary><b>Answer</b></summary>
<p>

#### Answer: A

Because **one** is printed.

</p>
</details>

---
"""
    item = only(text)
    assert item.stem == "What is printed?\n\n```js\nprint(1)\n```"
    assert (item.explanation, item.markup, right(item)) == ("Because **one** is printed.", Markup.MARKDOWN, ["`1`"])


# -- which format --


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("question,a,b,correct\nOne?,x,y,A\n", Format.CSV),
        ('[{"question": "One?", "answer": "x"}]', Format.JSON),
        ("One?{=x ~y}", Format.GIFT),
        ("One?\nA. x\nB. y\nANSWER: A\n", Format.AIKEN),
        ("#Q One?\n^ x\nA x\nB y\n", Format.TRIVIA),
        ('<quiz><question type="truefalse"/></quiz>', Format.MOODLE),
        ("<questestinterop><item/></questestinterop>", Format.QTI1),
        ('<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1"/>', Format.QTI2),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_format_is_told_from_the_content_whatever_the_name(content: str, expected: Format, encoding: str) -> None:
    assert read(io.BytesIO(content.encode(encoding)), filename="download.bin").format is expected


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"Only some words about nothing.", "unknown_format"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "unknown_xml"),
        (b'<?xml version="1.0"?><manifest/>', "unknown_xml"),
        (b'<?xml version="1.0"encoding="UTF-8"?><quiz/>', "damaged"),
        (bytes(range(256)) * 20 + b"\x00" * 100, "binary"),
    ],
)
def test_what_is_no_file_of_questions_is_refused_with_a_code(content: bytes, code: str) -> None:
    with pytest.raises(NotReadable) as refusal:
        read(io.BytesIO(content))
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


def test_a_format_that_is_stated_is_believed() -> None:
    assert found_in("One? {=x ~y}", format="gift")
    with pytest.raises(NotReadable, match="no format"):
        read(io.BytesIO(b"x"), format="word")
