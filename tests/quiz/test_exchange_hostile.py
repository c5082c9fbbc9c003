"""Files made to break a reader: each is refused or read around, in bounded memory, and none ends in a crash."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.exchange import Format, Item, NotReadable, Rejected, read, read_clauses
from quiz.exchange.content import MAX_BYTES
from tests.quiz.test_exchange_reading import found_in, only

BOMB = """<?xml version="1.0"?>
<!DOCTYPE quiz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>
<quiz><question type="shortanswer"><questiontext><text>&c;</text></questiontext></question></quiz>"""
FETCH = """<?xml version="1.0"?><!DOCTYPE quiz [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<quiz><question type="shortanswer"><questiontext><text>&x;</text></questiontext></question></quiz>"""


class Endless(io.RawIOBase):
    """So many of the same bytes, without holding them; counts what was asked for."""

    def __init__(self, start: bytes, size: int) -> None:
        self.start, self.left, self.given = start, size, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.start:
            start, self.start = self.start, b""
            return start
        size = min(size, self.left)
        self.left -= size
        self.given += size
        return b"x" * size


@pytest.mark.parametrize("start", [b"question,a,b,correct\n", b"[", b"Why? {=", b"#Q "])
def test_a_line_of_200_mb_is_refused_after_the_limit_and_not_read_to_its_end(start: bytes) -> None:
    stream = Endless(start, 200 * 1024 * 1024)
    with pytest.raises(NotReadable, match="larger than 64 MB") as refusal:
        read(stream)  # type: ignore[arg-type]
    assert refusal.value.code == "too_large"
    assert stream.given <= MAX_BYTES + 1024 * 1024


@pytest.mark.parametrize("content", [BOMB, FETCH])
@pytest.mark.parametrize("format", ["", "moodle", "qti1", "qti2"])
def test_declared_entities_are_refused(content: str, format: str) -> None:
    with pytest.raises(NotReadable) as refusal:
        read(io.BytesIO(content.encode()), format=format)
    assert refusal.value.code == "xml_forbidden"


def test_declared_entities_are_refused_in_utf_16_and_within_a_package() -> None:
    with pytest.raises(NotReadable):
        read(io.BytesIO(BOMB.replace('<?xml version="1.0"?>', "").encode("utf-16")))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.xml", BOMB)
    (rejected,) = found_in(target.getvalue())
    assert isinstance(rejected, Rejected)
    assert "declarations" in rejected.reason


def test_a_document_type_that_declares_nothing_is_neither_fetched_nor_refused() -> None:
    content = (
        '<!DOCTYPE questestinterop SYSTEM "http://127.0.0.1:9/none.dtd"><questestinterop><item><presentation>'
        "<material><mattext>x &unknown; y</mattext></material></presentation></item></questestinterop>"
    )
    assert [type(each) for each in found_in(content)] == [Rejected]


def test_xml_nested_without_end_is_refused_or_rejected() -> None:
    deep = "<quiz><question type='shortanswer'><questiontext>" + "<b>" * 100_000
    assert [getattr(each, "code", "") for each in found_in(deep)] == ["damaged"]
    html = "&lt;div&gt;" * 50_000
    found = found_in(
        f'<questestinterop><item><presentation><material><mattext texttype="text/html">{html}</mattext></material>'
        '<response_str ident="r"><render_fib/></response_str></presentation></item></questestinterop>'
    )
    assert len(found) == 1


def test_json_nested_without_end_is_rejected() -> None:
    (rejected,) = found_in('[{"question": ' + "[" * 200_000)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "damaged"


def bomb(size: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * size)
    return target.getvalue()


def test_a_part_that_grows_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(NotReadable) as refusal:
        found_in(bomb(30 * 1024 * 1024))
    assert refusal.value.code == "zip_bomb"


def test_a_part_that_lies_about_its_size_is_rejected() -> None:
    content = bytearray(bomb(30 * 1024 * 1024))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<L", 100)
    content[22:26] = struct.pack("<L", 100)
    (rejected,) = found_in(bytes(content))
    assert isinstance(rejected, Rejected)


@pytest.mark.parametrize("keep", [4, 60, -10])
def test_a_zip_that_is_cut_off_is_refused(keep: int) -> None:
    with pytest.raises(NotReadable) as refusal:
        found_in(bomb(1000)[:keep])
    assert refusal.value.code == "damaged"


def test_latin_1_and_windows_1252_are_read() -> None:
    item = only("question,a,b,correct\nWelche Größe?,fünf,“six”,A\n".encode("cp1252"))
    assert (item.stem, item.choices[0].text, item.choices[1].text) == ("Welche Größe?", "fünf", "“six”")


def test_nul_and_other_control_characters_are_left_out() -> None:
    item = only("question,a,b,correct\nWh\x00y?\x0b,on\x07e,two,A\n")
    assert (item.stem, item.choices[0].text) == ("Why?", "one")


def test_lone_surrogates_are_left_out() -> None:
    item = only('[{"question": "Why\\ud800?", "answer": "x"}]')
    assert item.stem == "Why?"
    item.stem.encode()


def test_numbers_of_absurd_size_are_refused() -> None:
    found = found_in("A?{#1e999999999}\n\nB?{#" + "9" * 5000 + "}\n\nC?{#5}\n")
    assert [getattr(each, "code", "") for each in found] == ["bad_number", "bad_number", ""]
    (rejected,) = found_in('[{"question": "A?", "answer": ' + "9" * 5000 + "}]")
    assert isinstance(rejected, Rejected)


def test_a_question_of_a_thousand_answers_is_rejected() -> None:
    (rejected,) = found_in("Which?{=right " + "~wrong " * 1000 + "}")
    assert isinstance(rejected, Rejected)
    assert rejected.code == "too_many_answers"


def test_what_is_told_of_a_rejected_question_is_bounded() -> None:
    (rejected,) = found_in("Which? {=" + "x" * 200_000 + "\n", format="gift")
    assert isinstance(rejected, Rejected)
    assert len(rejected.raw) <= 4000


def test_patterns_that_could_take_forever_do_not() -> None:
    for text in ("A. x\n" * 50_000, "::" * 200_000, "{" * 200_000, "\\" * 200_001, "(a),(a)," * 50_000, "%1" * 100_000):
        for format in (Format.GIFT, Format.AIKEN, Format.MARKDOWN, Format.TRIVIA):
            list(read(io.BytesIO(text.encode()), format=format))
    references = "1," * 30_000 + "x"
    found_in(f'question,answer,refs\nWhy?,x,"{references}"\n')


FRAGMENTS = [
    "<quiz>", "<question type='multichoice'>", "</question>", "<item>", "<presentation>", "<assessmentItem>",
    "<itemBody>", "<choiceInteraction>", "]]>", "<![CDATA[", "PK\x03\x04", "\x00", "é", "%50%", "->", "\n\n",
    "question,a,b,correct", '{"question":', "ANSWER: A", "A. x", "#Q ", "^ ", "###### 1. ", "- A: ",
    "#### Answer: A", "::", *'{}=~#,"[]\\\n',
]  # fmt: skip


def fragments() -> st.SearchStrategy[bytes]:
    pieces = st.sampled_from(FRAGMENTS) | st.text(max_size=4)
    return st.lists(pieces, max_size=25).map(lambda each: "".join(each).encode())


@settings(max_examples=150, deadline=None)
@given(content=fragments() | st.binary(max_size=200), format=st.sampled_from(["", *Format]))
def test_no_content_ends_in_a_crash(content: bytes, format: str) -> None:
    try:
        found = list(read(io.BytesIO(content), format=format))
    except NotReadable as refusal:
        assert refusal.code
        return
    assert all(isinstance(each, Item | Rejected) for each in found)
    assert positions(found) == sorted(positions(found))


def positions(found: list[Item | Rejected]) -> list[int]:
    return [each.position for each in found if isinstance(each, Rejected)]


@settings(max_examples=80, deadline=None)
@given(content=st.binary(max_size=100) | st.text('{}[]":,labelchidrn012\n', max_size=80).map(str.encode))
def test_no_content_of_clauses_ends_in_a_crash(content: bytes) -> None:
    def clauses() -> Iterator[object]:
        yield from read_clauses(io.BytesIO(content))

    try:
        list(clauses())
    except NotReadable as refusal:
        assert refusal.code
