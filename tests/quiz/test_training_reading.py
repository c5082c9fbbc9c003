"""Transcripts of all shapes: what is written is read, what is no transcript is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.calls.cleaning import clean, transcript_hash
from quiz.calls.reading import MAX_BYTES, MOST_TURNS, VAPI_LEARNER, read, read_vapi
from quiz.calls.turns import Transcript, Turn, Unreadable, turns_from_json

from .call_writing import as_json, as_srt, as_text, as_vapi, as_vtt

WORD = st.text(st.characters(categories=["Ll", "Lu"], exclude_characters="ªº"), min_size=1, max_size=9)
TEXT = st.lists(WORD, min_size=1, max_size=12).map(lambda words: " ".join(words) + ".")
NAME = st.sampled_from(["Jane Doe", "Client", "Speaker 2", "Ömer Şahin", "Bauleiter", "Assistant"])
TIMES = st.tuples(st.integers(0, 10_000_000), st.integers(0, 600_000))
FEW = settings(max_examples=60, deadline=None)


def turn_of(speaker: str, text: str, times: tuple[int, int]) -> Turn:
    return Turn(speaker, text, times[0] / 1000, (times[0] + times[1]) / 1000)


def untimed(turns: list[Turn]) -> tuple[Turn, ...]:
    return tuple(Turn(turn.speaker, turn.text) for turn in turns)


TURNS = st.lists(st.builds(turn_of, NAME, TEXT, TIMES), min_size=1, max_size=12)


@FEW
@given(TURNS)
def test_what_was_written_as_json_is_read_again(turns: list[Turn]) -> None:
    assert read(as_json(turns)) == Transcript(tuple(turns), "json")


@FEW
@given(TURNS)
def test_what_was_written_as_webvtt_is_read_again(turns: list[Turn]) -> None:
    assert read(as_vtt(turns)) == Transcript(tuple(turns), "vtt")


@FEW
@given(TURNS)
def test_what_was_written_as_subrip_is_read_again(turns: list[Turn]) -> None:
    assert read(as_srt(turns), name="call.srt") == Transcript(tuple(turns), "srt")


@FEW
@given(TURNS)
def test_what_was_written_as_text_is_read_again(turns: list[Turn]) -> None:
    for encoding in ("utf-8", "utf-16", "utf-8-sig"):
        data = as_text(turns).decode().encode(encoding)
        assert read(data, name="call.txt") == Transcript(untimed(turns), "text")


@FEW
@given(st.lists(st.builds(turn_of, st.sampled_from(["Assistant", "User"]), TEXT, TIMES), min_size=1, max_size=12))
def test_what_a_voice_service_reports_is_read_with_its_times(turns: list[Turn]) -> None:
    told = as_vapi(turns)
    assert read_vapi(told) == Transcript(tuple(turns), "vapi")
    report = {"message": {"type": "end-of-call-report", "call": {"id": "1"}, "artifact": told}}
    assert read(json.dumps(report).encode()).turns == tuple(turns)
    assert VAPI_LEARNER == "User"


@pytest.mark.parametrize(("unit", "usual"), [(1, 0.25), (1000, 250)], ids=["seconds", "thousandths"])
def test_a_message_without_an_end_lasts_its_duration_in_either_unit(unit: int, usual: float) -> None:
    messages = [
        {"role": "bot", "message": "Good morning, how can I help you?", "secondsFromStart": 0.5, "duration": 2 * unit},
        {"role": "user", "message": "Yes.", "secondsFromStart": 3, "duration": usual},
        {"role": "user", "message": "A question.", "time": 1_764_000_009_000},
    ]
    turns = read_vapi({"messages": messages}).turns
    assert [(turn.start_s, turn.end_s) for turn in turns] == [(0.5, 2.5), (3.0, 3.25), (0.0, None)]


@FEW
@given(TURNS)
def test_turns_survive_being_stored(turns: list[Turn]) -> None:
    stored = json.loads(json.dumps([turn.to_json() for turn in turns]))
    assert turns_from_json(stored) == tuple(turns)
    assert transcript_hash(turns_from_json(stored)) == transcript_hash(turns)


@FEW
@given(st.lists(st.builds(turn_of, NAME, st.text(max_size=40), TIMES), min_size=1, max_size=12))
def test_cleaning_twice_is_cleaning_once(turns: list[Turn]) -> None:
    try:
        once = clean(Transcript(tuple(turns), "json"))
    except Unreadable:
        return
    assert clean(once) == once
    assert all(turn.text == " ".join(turn.text.split()) and turn.text for turn in once.turns)


@pytest.mark.parametrize(
    "document",
    [
        [{"speaker": "Ann", "text": "Hello."}, {"speaker": "Bob", "text": "Hi."}],
        {"messages": [
            {"role": "Ann", "content": "Hello."}, {"role": "Bob", "content": [{"type": "text", "text": "Hi."}]},
        ]},
        {"results": {"utterances": [
            {"speaker": "Ann", "transcript": "Hello."}, {"speaker": "Bob", "transcript": "Hi."},
        ]}},
        [["Ann", "Hello."], ["Bob", "Hi."]],
        {"chat_logs": [
            {"id": "Ann", "text": "Hello."}, {"id": "Bob", "text": "Hi."}, {"id": "Ann", "text": ""},
            {"id": "Bob", "text": ""},
        ]},
        {"monologues": [
            {"speaker": "Ann", "elements": [{"type": "text", "value": "Hello"}, {"type": "punct", "value": "."}]},
            {"speaker": "Bob", "elements": [{"type": "text", "value": "Hi"}, {"type": "punct", "value": "."}]},
        ]},
        [{"turns": [{"speaker": {"name": "Ann"}, "text": "Hello."}, {"speaker": {"name": "Bob"}, "text": "Hi."}]}],
        {"artifact": {"messagesOpenAIFormatted": [
            {"role": "system", "content": "Play a client."}, {"role": "Ann", "content": "Hello."},
            {"role": "Bob", "content": "Hi."},
        ]}},
        {"artifact": {"messages": [], "messagesOpenAIFormatted": [], "transcript": "Ann: Hello.\nBob: Hi.\n"}},
    ],
    ids=["turns", "messages", "utterances", "pairs", "ids", "monologues", "one call", "openai", "as text"],
)  # fmt: skip
def test_the_usual_shapes_of_json_are_read(document: Any) -> None:
    cleaned = clean(read(json.dumps(document).encode()))
    assert [(turn.speaker, turn.text) for turn in cleaned.turns] == [("Ann", "Hello."), ("Bob", "Hi.")]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ({"start": 61.5}, {"end": 63.0}),
        ({"start": "00:01:01.500"}, {"end": "00:01:03,000"}),
        ({"start_ms": 61500}, {"end_ms": 63000}),
        ({"start_time": "61.5s"}, {"duration": 1.5}),
    ],
    ids=["seconds", "clock", "thousandths", "duration"],
)
def test_times_are_seconds_however_they_are_written(start: dict[str, Any], end: dict[str, Any]) -> None:
    turn = read(json.dumps([{"speaker": "Ann", "text": "Hello.", **start, **end}]).encode()).turns[0]
    assert (turn.start_s, turn.end_s) == (61.5, 63.0)


def test_thousandths_and_moments_are_told_by_what_they_would_mean() -> None:
    said = "this is said at the pace at which people say things to each other"
    thousandths = [{"speaker": "Ann", "text": said, "start": at * 5000, "end": at * 5000 + 4000} for at in range(40)]
    assert read(json.dumps(thousandths).encode()).turns[-1].end_s == 199.0
    moments = [{"speaker": "Ann", "text": said, "time": f"2026-11-22T10:00:{at:02d}+00:00"} for at in (5, 15)]
    assert [turn.start_s for turn in read(json.dumps(moments).encode()).turns] == [0.0, 10.0]


def test_text_is_read_as_people_and_services_write_it() -> None:
    told = """Meeting: Weekly call
Date: 2026-11-20

[00:00:05] **Jane Doe:** We have two
options: the old code, or the new one.
Jane Doe  0:31
Which do you price?
- Bob (01:02:03): The new one: it is cheaper.
http://example.org/not-a-speaker: no
"""
    turns = read(told.encode(), name="notes.md").turns
    assert [turn.speaker for turn in turns] == ["Jane Doe", "Jane Doe", "Bob"]
    assert turns[0].text == "We have two options: the old code, or the new one."
    assert [turn.start_s for turn in turns] == [5.0, 31.0, 3723.0]
    assert turns[2].text == "The new one: it is cheaper. http://example.org/not-a-speaker: no"


def test_subtitles_of_meetings_name_speakers_where_they_change() -> None:
    told = """WEBVTT

STYLE
::cue { color: red }

1
00:00:01.000 --> 00:00:02.000
Jane Doe: Good <i>morning</i> &amp; welcome.

2
00:00:02.500 --> 00:00:04.000
Shall we begin?

00:04.000 --> 00:05.000
<v Bob>Yes.</v> <v.loud Jane Doe>Fine.
"""
    turns = read(told.encode()).turns
    assert [(turn.speaker, turn.text) for turn in turns] == [
        ("Jane Doe", "Good morning & welcome."), ("Jane Doe", "Shall we begin?"), ("Bob", "Yes."),
        ("Jane Doe", "Fine."),
    ]  # fmt: skip
    assert turns[-1].end_s == 5.0


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "only a mark": b"\xef\xbb\xbf \n",
    "too large": b"Ann: " + b"x" * MAX_BYTES,
    "NUL": b"Ann: hel\x00lo there, this is text",
    "binary": bytes(range(256)) * 40,
    "pdf": b"%PDF-1.7 ...",
    "zip": b"PK\x03\x04....",
    "cyrillic in another encoding": "Анна: добрый день, сколько это стоит?".encode("cp1251"),
    "broken utf-16": b"\xff\xfeA\x00n\x00\x00\xd8x",
    "json cut off": b'[{"speaker": "Ann", "text": "He',
    "json of another shape": b'{"invoices": [{"total": 12}]}',
    "json number": b"12",
    "json of nothing": b"[]",
    "json too deep": b"[" * 100_000,
    "json of endless digits": b'[{"speaker": "A", "text": "x", "start": ' + b"9" * 5000 + b"}]",
    "several calls": json.dumps([{"turns": [["A", "x"]]}, {"turns": [["A", "y"]]}]).encode(),
    "turns without words": json.dumps([{"speaker": "Ann", "text": "  "}]).encode(),
    "nobody speaks": b"this is a letter\nand nobody is named in it",
    "webvtt without a time": b"WEBVTT\n\nHello there\nyou all\n",
    "webvtt with a broken time": b"WEBVTT\n\n00:00:99.000 --> 00:01:00.000\n<v Ann>Hello",
    "webvtt that ends before it begins": b"WEBVTT\n\n00:00:09.000 --> 00:00:01.000\n<v Ann>Hello",
    "webvtt without an end": b"WEBVTT\n\n00:00:09.000 -->\n<v Ann>Hello",
    "webvtt of no cues": b"WEBVTT\n\nNOTE nothing\n",
    "srt with a broken time": b"1\n00:00:01,000 --> 00:00:0x,000\nAnn: Hello",
    "100,000 turns": b"Ann: a\n" * 100_000,
    "100,000 turns in JSON": b"[" + b",".join([b'["A","b"]'] * 100_000) + b"]",
    "100,000 cues": b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\n\n" * 80_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_transcript_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(HOSTILE[name])
    assert refused.value.reason.endswith((".", "…", "”", ").")) and len(refused.value.reason) < 300


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "a.json", "a.vtt", "a.srt", "a.txt"]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    try:
        assert read(data, name=name).turns
    except Unreadable as refused:
        assert refused.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["turns", "messages", "message", "role", "text", "speaker", "start", "end", "time",
                         "elements", "artifact", "transcript", "secondsFromStart", "endTime", "duration", "id",
                         "content", "value"]),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    try:
        transcript = clean(read(json.dumps(document).encode(), format="json"))
    except Unreadable as refused:
        assert refused.reason
    else:
        json.dumps([turn.to_json() for turn in transcript.turns], allow_nan=False).encode()
    if isinstance(document, dict):
        try:
            read_vapi(document)
        except Unreadable as refused:
            assert refused.reason


@pytest.mark.parametrize(
    "line",
    [b"x" * 2_000_000, b" " * 2_000_000 + b"x", b"1:02 " * 400_000, b"[" * 2_000_000, b"a:" * 1_000_000,
     b"<v " * 600_000, b"A b " * 500_000, b"*_" * 1_000_000, b"00:00:01.000 --> " * 100_000],
    ids=["word", "spaces", "clocks", "brackets", "colons", "voices", "words", "stars", "arrows"],
)  # fmt: skip
@pytest.mark.parametrize(
    "head", [b"Ann: ", b"", b"WEBVTT\n\n00:01.000 --> 00:02.000\n"], ids=["text", "bare", "webvtt"]
)
def test_a_line_of_two_megabytes_takes_no_longer_than_its_length(head: bytes, line: bytes) -> None:
    try:
        assert clean(read(head + line)).turns
    except Unreadable as refused:
        assert refused.reason


def test_as_many_turns_as_a_call_may_have_are_read() -> None:
    transcript = read(b"Ann: yes\nBob: no\n" * (MOST_TURNS // 2))
    assert len(clean(transcript).turns) == MOST_TURNS


def test_western_letters_of_windows_are_read() -> None:
    told = "Bauleiter: Grüß Gott, die Fuge ist „undicht“ – 3 €?"
    assert read(told.encode("cp1252")).turns == (Turn("Bauleiter", told.partition(": ")[2]),)
    assert read(told.encode("utf-16-le")).turns == (Turn("Bauleiter", told.partition(": ")[2]),)


def test_what_databases_refuse_is_left_out() -> None:
    turns = read(b'[{"speaker": "A\\u0000nn", "text": "He\\ud800llo\\u0000"}]').turns
    assert turns == (Turn("Ann", "Hello"),)


def test_cleaning_joins_only_who_goes_on_talking() -> None:
    def cleaned(*turns: Turn) -> list[str]:
        return [turn.text for turn in clean(Transcript(turns, "json")).turns]

    assert cleaned(Turn("A", "So we", 0, 1), Turn("A", "begin.", 1.5, 2), Turn("B", "Yes.", 2, 3)) == [
        "So we begin.",
        "Yes.",
    ]
    assert cleaned(Turn("A", "So.", 0, 1), Turn("A", "Next.", 3, 4)) == ["So.", "Next."]  # a pause
    assert cleaned(Turn("A", "Hello."), Turn("A", "Are you there?")) == ["Hello.", "Are you there?"]  # no times
    assert cleaned(Turn("A", "One.", 0, 50), Turn("A", "Two.", 50, 90)) == ["One.", "Two."]  # too long together
    assert cleaned(Turn("", "One.", 0, 1), Turn("", "Two.", 1, 2)) == ["One.", "Two."]  # who knows
    assert cleaned(Turn("B", "Second.", 5, 6), Turn("A", "First.", 0, 1)) == ["First.", "Second."]


def test_cleaning_names_speakers_one_way_and_leaves_out_what_nobody_said() -> None:
    turns = [
        Turn("CLIENT:", "Hello  there.\u200b"), Turn("client", "[music]"), Turn("Client", "..."), Turn("bot", "Hi."),
        Turn("system", "You are a client."), Turn("tool_call_result", "42"), Turn("SPEAKER_03", "🙂"), Turn("", "Who?"),
        Turn("action", "Account has been pulled up."), Turn("[Jane (Site)]", "Yes."), Turn("user", "♪"),
    ]  # fmt: skip
    cleaned = clean(Transcript(tuple(turns), "json"))
    assert [(turn.speaker, turn.text) for turn in cleaned.turns] == [
        ("CLIENT", "Hello there."), ("Assistant", "Hi."), ("Speaker 3", "🙂"), ("Unknown", "Who?"),
        ("Jane (Site)", "Yes."),
    ]  # fmt: skip


def test_a_hash_is_of_words_speakers_and_times() -> None:
    base = [Turn("Ann", "Hello.", 0.0, 1.0)]
    assert transcript_hash(base) == transcript_hash([Turn("Ann", "Hello.", -0.0, 1.0000001)])
    others = [
        Turn("Bob", "Hello.", 0.0, 1.0),
        Turn("Ann", "Hello!", 0.0, 1.0),
        Turn("Ann", "Hello.", 0.0, 1.1),
        Turn("Ann", "Hello."),
    ]
    assert len({transcript_hash([turn]) for turn in [*base, *others]}) == 5
    assert len(transcript_hash(base)) == 32
