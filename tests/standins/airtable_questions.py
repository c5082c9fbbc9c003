"""A table of questions as a training office keeps one in Airtable: always the same one."""

from __future__ import annotations

from typing import Any

from tests.standins.airtable_base import Airtable, Json, Table

TABLE = "tblQUESTIONS00001"
CATEGORIES = ("Structural Welding", "Inspection", "Procedures", "Safety")
LEVELS = ("Easy", "Medium", "Hard")
SELECT_LEVELS = {"choices": [{"id": f"sel{level}", "name": level} for level in LEVELS]}


def field(name: str, kind: str, **options: Any) -> Json:
    described: Json = {"id": FIELD_IDS[name], "name": name, "type": kind}
    return described | ({"options": options} if options else {})


FIELD_IDS = {
    "Question": "fldSTEM0000000001",
    "Type": "fldKIND0000000001",
    "Choices": "fldCHOICES0000001",
    "Correct": "fldCORRECT0000001",
    "Explanation": "fldEXPLAIN0000001",
    "Category": "fldCATEGORY000001",
    "Difficulty": "fldDIFFICULT00001",
    "Clause": "fldCLAUSE00000001",
    "Tags": "fldTAGS0000000001",
    "Active": "fldACTIVE00000001",
    "Notes": "fldNOTES000000001",
}
STEM, KIND, CHOICES, CORRECT, EXPLANATION, CATEGORY, DIFFICULTY, CLAUSE, TAGS, ACTIVE, NOTES = FIELD_IDS.values()


def record_id(number: int) -> str:
    return f"rec{number:014d}"


def welding_table(count: int) -> Table:
    fields = (
        field("Question", "richText"),
        field("Type", "singleSelect", choices=[]),
        field("Choices", "multilineText"),
        field("Correct", "singleLineText"),
        field("Explanation", "multilineText"),
        field("Category", "singleSelect", choices=[]),
        field("Difficulty", "singleSelect", **SELECT_LEVELS),
        field("Clause", "singleLineText"),
        field("Tags", "multipleSelects", choices=[]),
        field("Active", "checkbox", icon="check", color="greenBright"),
        field("Notes", "multilineText"),
    )
    records = {record_id(number): welding_question(number) for number in range(1, count + 1)}
    return Table(TABLE, "Questions", {each["id"]: each for each in fields}, records)


def welding_question(number: int) -> Json:
    """Every tenth by number is another kind."""
    cells = {
        STEM: f"At what preheat is plate {number} welded?",
        KIND: "Multiple choice",
        CHOICES: f"{number} °C\n{number + 10} °C\n{number + 20} °C\n{number + 30} °C",
        CORRECT: "ABCD"[number % 4],
        EXPLANATION: f"The table of the clause says it of plate {number}.",
        CATEGORY: CATEGORIES[number % len(CATEGORIES)],
        DIFFICULTY: LEVELS[number % len(LEVELS)],
        CLAUSE: f"AWS D1.1 {number % 9 + 1}.{number % 7 + 1}",
        TAGS: ["preheat"],
        ACTIVE: True,
        NOTES: f"Seen by the office, {number}",
    }
    match number % 10:
        case 1:
            cells |= {KIND: "True/False", CORRECT: "True", STEM: f"Plate {number} needs preheat."}
            del cells[CHOICES]
        case 2:
            cells |= {KIND: "Numeric", CORRECT: f"{number}.5 ± 0.5", STEM: f"How hot is plate {number}, in °C?"}
            del cells[CHOICES]
        case 3:
            cells |= {KIND: "Short answer", CORRECT: "fillet | fillet weld", STEM: f"What weld joins plate {number}?"}
            del cells[CHOICES]
        case 4:
            cells |= {KIND: "Select all", CORRECT: "A, C"}
    return cells


def welding_base(count: int) -> Airtable:
    table = welding_table(count)
    return Airtable(tables={table.id: table})
