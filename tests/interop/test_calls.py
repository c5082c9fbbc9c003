"""Real dialogues: an earnings call with its timed truth, negotiations, a help desk's chats."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from quiz.calls.cleaning import clean, transcript_hash
from quiz.calls.measuring import measure
from quiz.calls.reading import read
from quiz.calls.rules import RULES, judge
from quiz.calls.turns import Transcript, Turn, Unreadable

from ..quiz.call_writing import as_json, as_text, as_vtt

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere"))
pytestmark = pytest.mark.skipif(
    not (FOLDER / "calls").is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"
)
RULES_OF_ALL: dict[str, dict[str, Any]] = {
    name: {"measure": name, **({"low": 0, "high": 1, "fall": 1} if kind.is_band else {})}
    | ({"phrases": ["trip", "firewood|water", "account"]} if name in ("phrases", "avoid") else {})
    for name, kind in RULES.items()
}


def calls(name: str) -> Path:
    return FOLDER / "calls" / name


def load(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(calls(name).read_text())
    return found


@pytest.fixture(scope="module")
def earnings() -> Transcript:
    """By speaker, as the verbatim reference has it: one token a line, its punctuation beside it; no times."""
    lines = calls("earnings21_4386541.nlp").read_text().splitlines()[1:]
    rows = [line.split("|") for line in lines]
    spoken = groupby(rows, key=lambda row: row[1])
    turns = [Turn(f"Speaker {speaker}", " ".join(row[0] + row[4] for row in words)) for speaker, words in spoken]
    return clean(read(as_text(turns)))


@pytest.fixture(scope="module")
def seconds() -> dict[str, float]:
    """The timed truth: what each speaker talks, by their numbers, which agree with the reference's in this call."""
    found: defaultdict[str, float] = defaultdict(float)
    for start, lasts, speaker in timed():
        assert start >= 0
        found[speaker] += lasts
    return dict(found)


def timed() -> Iterator[tuple[float, float, str]]:
    for line in calls("earnings21_4386541.rttm").read_text().splitlines():
        parts = line.split()
        yield float(parts[3]), float(parts[4]), f"Speaker {parts[7]}"


def test_talk_share_by_words_is_within_four_points_of_the_timed_truth(
    earnings: Transcript, seconds: dict[str, float]
) -> None:
    speakers = list(dict.fromkeys(turn.speaker for turn in earnings.turns))
    assert sorted(speakers) == sorted(seconds) and len(speakers) == 5
    for speaker in speakers:
        told = measure(earnings.turns, learner=speaker).to_json()["talk_share"]
        assert told["basis"] == "by words"
        assert abs(told["value"] - seconds[speaker] / sum(seconds.values())) < 0.04, speaker


def test_talk_share_by_seconds_is_the_timed_truth(seconds: dict[str, float]) -> None:
    turns = [Turn(speaker, "Spoken.", start, start + lasts) for start, lasts, speaker in timed()]
    cleaned = clean(read(as_vtt(turns))).turns
    total = sum(seconds.values())
    for speaker, truth in seconds.items():
        told = measure(cleaned, learner=speaker).to_json()["talk_share"]
        assert told["basis"] == "by seconds"
        assert abs(told["value"] - truth / total) < 0.02, speaker  # breaths within a turn count as talk


def test_fillers_and_questions_of_a_verbatim_call_are_all_counted(earnings: Transcript) -> None:
    told = measure(earnings.turns, learner="Speaker 3").to_json()
    fillers: Counter[str] = Counter()
    for each in told["speakers"]:
        fillers.update(each["fillers"])
    assert fillers == {"um": 15, "uh": 30}
    assert told["fillers"]["detail"] == {"uh": 18, "um": 8}
    assert sum(each["questions"] for each in told["speakers"]) == 2
    assert told["language"] == "en"
    tokens = len(calls("earnings21_4386541.nlp").read_text().splitlines()) - 1
    assert abs(told["words"] - tokens) < 0.05 * tokens  # "forward-looking" is two words here


def test_all_negotiations_are_read_and_measured_the_same_each_time() -> None:
    dialogues = load("casino_valid.json")
    assert len(dialogues) == 30
    turns = 0
    for dialogue in dialogues:
        data = json.dumps(dialogue).encode()
        first, second = (clean(read(data, name="casino.json")) for _ in range(2))
        assert transcript_hash(first.turns) == transcript_hash(second.turns)
        assert len(first.turns) == len(dialogue["chat_logs"])
        turns += len(first.turns)
        shares = []
        for learner in ("mturk_agent_1", "mturk_agent_2"):
            told = measure(first.turns, learner=learner).to_json()
            assert told == measure(second.turns, learner=learner).to_json()
            assert told["language"] == "en" and told["talk_share"]["basis"] == "by words"
            assert sum(each["turns"] for each in told["speakers"]) == told["turns"]
            shares.append(told["talk_share"]["value"])
            scored = judge(RULES_OF_ALL, first.turns, learner=learner)
            assert scored == judge(RULES_OF_ALL, second.turns, learner=learner)
            for each in scored.values():
                assert all(found.quote in first.turns[found.turn].text for found in each.evidence)
        assert sum(shares) == pytest.approx(1, abs=0.001)
    assert turns == 402


def test_thirty_calls_in_one_file_are_refused_as_thirty() -> None:
    with pytest.raises(Unreadable, match="30 calls"):
        read(calls("casino_valid.json").read_bytes())


def test_chats_of_a_help_desk_are_read_without_what_its_software_noted() -> None:
    for conversation, count in zip(load("abcd_sample.json"), (29, 21, 22), strict=True):
        original = conversation["original"]
        assert len(original) == count
        cleaned = clean(read(json.dumps({"original": original}).encode()))
        spoken = [text for speaker, text in original if speaker != "action"]
        assert [turn.text for turn in cleaned.turns] == [" ".join(text.split()) for text in spoken]
        assert {turn.speaker for turn in cleaned.turns} == {"agent", "customer"}
        again = clean(read(as_json(cleaned.turns)))
        assert transcript_hash(again.turns) == transcript_hash(cleaned.turns)
        told = judge({"greeting": {"measure": "greeting"}}, cleaned.turns, learner="agent")["greeting"]
        assert told.score == 100 and told.evidence
