"""How well the default embedding finds the right text among real ones. Figures: docs/analytics.md.

`python -m pytest tests/interop/test_retrieval.py -s` prints them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.search.fitting import fit

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere"))
pytestmark = pytest.mark.skipif(
    not (FOLDER / "quiz").is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"
)
DIMENSIONS = 256


def found_first(texts: list[str], questions: list[str], right: list[int], name: str) -> float:
    """R@1: the share of questions whose nearest text is the right one. The model is fitted on the texts alone."""
    model = fit(texts, version="here", dimensions=DIMENSIONS)
    assert model is not None
    nearest = np.argmax(model.encode(questions) @ model.encode(texts).T, axis=1)
    share = float(np.mean(nearest == np.asarray(right)))
    sys.stdout.write(f"{name}: {share:.2f} of {len(questions)} among {len(texts)}\n")
    return share


def test_an_explanation_finds_the_question_that_it_explains() -> None:
    content = (FOLDER / "quiz/javascript_questions.md").read_text(encoding="utf-8")
    questions, explanations = [], []
    for part in re.split(r"\n###### ", content)[1:]:
        told = re.search(r"#### Answer: \w+(.*?)</p>\s*</details>", part, re.S)
        assert told
        questions.append(part.split("<details>")[0])
        explanations.append(told[1])
    assert len(questions) == 155
    assert found_first(questions, explanations, list(range(155)), "explanation -> question") >= 0.75


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def right_answer(question: dict[str, Any]) -> str:
    return plain(question["answers"][question["correct"]])


def test_a_question_of_the_old_pool_finds_itself_reworded_in_the_new_one() -> None:
    """Reworded: the same number and the same right answer, but other words in the stem. Numbers are given anew to
    other questions, so that a number alone says little."""
    old, new = (
        {each["id"]: each for each in json.loads((FOLDER / f"quiz/ham_technician_{pool}.json").read_text("utf-8"))}
        for pool in ("2022-2026_superseded", "2026-2030")
    )
    reworded = [
        key
        for key in old
        if key in new
        and plain(old[key]["question"]) != plain(new[key]["question"])
        and right_answer(old[key]) == right_answer(new[key])
    ]
    assert len(reworded) == 45
    keys = list(new)
    stems = [old[key]["question"] for key in reworded]
    right = [keys.index(key) for key in reworded]
    assert found_first([new[key]["question"] for key in keys], stems, right, "stem -> reworded stem") == 1.0


def nodes(node: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(number, title, text) of it and all below it."""
    here = (".".join(node["label"]), node.get("title") or "", node.get("text") or "")
    return [here, *(each for child in node["children"] for each in nodes(child))]


def test_a_title_of_a_regulation_finds_its_section() -> None:
    regulation = nodes(json.loads((FOLDER / "clauses/cfr12_1013_2016-28710.json").read_text("utf-8")))

    def below(number: str) -> str:
        """Texts without titles. Interpretations are numbered after what they interpret: 1013.4.f.Interp."""
        start = number.removesuffix(".Interp")
        is_interpretation = number != start
        inside = [each for each in regulation if each[0] == start or each[0].startswith(f"{start}.")]
        return " ".join(text for label, _, text in inside if not is_interpretation or ".Interp" in label)

    titled = [each for each in regulation if each[1] and "Reserved" not in each[1]]
    texts = [below(number) for number, _, _ in titled]
    share = found_first(texts, [title for _, title, _ in titled], list(range(len(titled))), "title -> section")
    assert share >= 0.25
