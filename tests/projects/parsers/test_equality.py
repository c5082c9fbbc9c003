"""Two bills: the same, reordered, or which positions differ and how."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from projects.parsers.equality import Fact, Verdict, compare, fact_of
from projects.parsers.registry import open_bill
from tests.factories.bills import write_kros, write_unixml
from tests.projects.parsers.test_round_trip import SETTINGS, bills

DIG = Fact(
    "1", "121151113", "Sejmutí ornice", "m3", D("123"), D("29.10"), D("3579.30"), "work", "normal", "SO 1", "1 Zemní"
)
BED = Fact(
    "2", "451573111", "Lože ze štěrku", "m2", D("10.5"), D("900"), D("9450"), "work", "normal", "SO 1", "1 Zemní"
)
TUBE = Fact("3", "871310310", "Potrubí", "m", D("4"), D("50"), D("200"), "material", "normal", "SO 1", "8 Vedení")


def test_the_same_positions_are_equal_and_have_one_digest():
    found = compare([DIG, BED], [DIG, BED])
    assert (found.verdict, found.matched, found.delta) == (Verdict.EQUAL, 2, 0)
    assert found.left.digest == found.right.digest
    assert found.left.total == D("13029.30")


def test_spelling_of_blanks_signs_figures_and_units_is_no_difference():
    spelt = BED._replace(
        description="Lože  ze\u00a0štěrku ",
        unit="m²",
        quantity=D("10.500"),
        unit_price=D("900.0000"),
        total=D("9450.00"),
    )
    found = compare([BED], [spelt])
    assert found.verdict is Verdict.EQUAL
    assert found.left.digest == found.right.digest
    pieces = compare(
        [BED._replace(unit="kus")], [BED._replace(unit="Stk.")], lambda unit: {"kus": "ks", "Stk.": "ks"}[unit]
    )
    assert pieces.verdict is Verdict.EQUAL


def test_numbers_objects_and_sections_are_not_part_of_the_proof_and_are_counted():
    found = compare([DIG, BED], [DIG._replace(number="01.1", object_code="", section=""), BED])
    assert found.verdict is Verdict.EQUAL
    assert [line.split(" ", 1)[1] for line in found.unproven] == [
        f"paired positions name another {word} or none; that is not part of the proof."
        for word in ("building object", "section", "number")
    ]


def test_measure_sheets_are_said_not_to_be_compared():
    found = compare([DIG._replace(has_measure=True)], [DIG])
    assert found.unproven == ("Measure sheets are not compared: 1 positions of the first have one, 0 of the second.",)


def test_a_change_is_a_change_and_not_one_gone_and_one_come():
    found = compare([DIG, BED, TUBE], [DIG, BED._replace(quantity=D(11), total=D(9900)), TUBE])
    [pair] = found.changed
    assert (found.verdict, pair.left.number, pair.fields) == (Verdict.DIFFERENT, "2", ("quantity", "total"))
    assert (found.matched, found.only_left, found.only_right, found.delta) == (2, (), (), D(450))


def test_positions_of_one_side_only_are_listed():
    found = compare([DIG, BED], [BED, TUBE])
    assert (found.only_left, found.only_right, found.matched) == ((DIG,), (TUBE,), 1)
    assert found.verdict is Verdict.DIFFERENT


def test_another_order_is_said_with_as_few_positions_as_it_takes():
    found = compare([DIG, BED, TUBE], [TUBE, DIG, BED])
    assert found.verdict is Verdict.REORDERED
    assert [pair.left.number for pair in found.moved] == ["3"]
    assert found.left.digest != found.right.digest


def test_equal_positions_are_counted_not_collapsed():
    found = compare([DIG, DIG, BED], [DIG, BED])
    assert (found.matched, found.only_left) == (2, (DIG,))


def test_the_same_number_with_another_text_is_one_changed_position():
    found = compare(
        [DIG._replace(number="01.02.0010.y")], [DIG._replace(number="01.02.0010.Y", description="Ornice", section="")]
    )
    assert [pair.fields for pair in found.changed] == [("description",)]


def test_how_a_position_counts_is_compared():
    found = compare([DIG], [DIG._replace(billing="optional", counts=False)])
    assert [pair.fields for pair in found.changed] == [("billing",)]
    assert found.right.total == 0


def test_two_empty_bills_are_equal():
    assert compare([], []).verdict is Verdict.EQUAL


@settings(SETTINGS, max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(bill=bills())
def test_one_bill_written_in_two_dialects_is_proven_equal(tmp_path, bill):
    assume(all(abs(p.total) < 10**12 for *_, p in bill.walk()))  # a workbook's figures have fifteen digits
    write_kros(tmp_path / "a", bill)
    write_unixml(tmp_path / "b", bill)
    opened = [open_bill(tmp_path / name) for name in ("a", "b")]
    found = compare(*([fact_of(position, one) for position in one.positions] for one in opened))
    assert (found.changed, found.only_left, found.only_right, found.moved) == ((), (), (), ())
    assert found.verdict is Verdict.EQUAL
    assert found.left == found.right


FACTS = st.builds(
    Fact,
    number=st.sampled_from(["1", "2", "3", "01.02"]),
    code=st.sampled_from(["", "A", "B"]),
    description=st.sampled_from(["x", "y"]),
    unit=st.sampled_from(["", "m", "m2"]),
    quantity=st.sampled_from([None, D(0), D(1), D("1.0")]),
    unit_price=st.sampled_from([None, D(2)]),
    total=st.sampled_from([None, D(2)]),
    kind=st.just("work"),
    billing=st.just("normal"),
    object_code=st.sampled_from(["", "SO 1"]),
    section=st.just(""),
    counts=st.just(True),
    has_measure=st.just(False),
    price_system=st.just(""),
    vat_rate=st.none(),
    source=st.just(""),
)


@settings(SETTINGS, max_examples=150)
@given(left=st.lists(FACTS, max_size=8), right=st.lists(FACTS, max_size=8))
def test_every_position_of_both_sides_is_accounted_for_once(left, right):
    found = compare(left, right)
    paired = found.matched + len(found.changed)
    assert paired + len(found.only_left) == len(left)
    assert paired + len(found.only_right) == len(right)
    is_same = not (found.changed or found.only_left or found.only_right)
    assert (found.verdict is Verdict.DIFFERENT) is not is_same
    assert (found.verdict is Verdict.EQUAL) == (is_same and not found.moved)
    if found.left.digest == found.right.digest:
        assert found.verdict is Verdict.EQUAL
    assert compare(right, left).verdict is found.verdict


@settings(SETTINGS, max_examples=100)
@given(facts=st.lists(FACTS, max_size=8), seed=st.randoms(use_true_random=False))
def test_a_shuffled_bill_is_never_called_different(facts, seed):
    shuffled = list(facts)
    seed.shuffle(shuffled)
    assert compare(facts, shuffled).verdict is not Verdict.DIFFERENT
