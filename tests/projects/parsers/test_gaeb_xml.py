"""GAEB DA XML: numbers with index, kinds of billing, texts, totals, and a bid put onto its tender."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from projects.parsers.bill import Billing, ParseError
from projects.parsers.reconcile import assert_reconciled
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection, write_gaeb


def bill_of(*positions: GivenPosition) -> GivenBill:
    return GivenBill((GivenObject("01", "Rohbau", (GivenSection("02", "Erdarbeiten", positions),)),), "Lagerhalle")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bill.x86"


def test_the_number_is_the_path_of_parts_and_the_index(path, drain):
    write_gaeb(path, bill_of(GivenPosition("0010", "Boden"), GivenPosition("0010", "Boden, Index", index="A")))
    positions, *_ = drain(path)
    assert [p.number for p in positions] == ["01.02.0010", "01.02.0010.A"]
    assert positions[0].section_path == ("01 Rohbau", "02 Erdarbeiten")


@pytest.mark.parametrize(
    ("marks", "billing", "counts"),
    [
        ("", Billing.NORMAL, True),
        ("<Provis>WithTotal</Provis>", Billing.OPTIONAL_COUNTED, True),
        ("<Provis>WithoutTotal</Provis>", Billing.OPTIONAL, False),
        ("<ALNGroupNo>1</ALNGroupNo><ALNSerNo>0</ALNSerNo>", Billing.NORMAL, True),
        ("<ALNGroupNo>1</ALNGroupNo><ALNSerNo>1</ALNSerNo>", Billing.ALTERNATIVE, False),
        ("<LumpSumItem>Yes</LumpSumItem>", Billing.LUMP_SUM, True),
        ("<LumpSumItem>No</LumpSumItem>", Billing.NORMAL, True),
        ("<CONo>1</CONo>", Billing.CHANGE, True),
        ("<NotAppl>Yes</NotAppl>", Billing.OPTIONAL, False),
    ],
)
def test_a_position_counts_as_its_marks_say(path, drain, marks, billing, counts):
    write_gaeb(path, bill_of(GivenPosition("0010", "Boden", quantity=D(2), unit_price=D(5), gaeb=marks)),
               total=D(10) if counts else D(0))  # fmt: skip
    [position], result, _ = drain(path)
    assert position.billing is billing
    assert result.computed_total == (D(10) if counts else D(0))
    assert_reconciled(result)


def test_a_surcharge_counts_with_its_stated_total(path, drain):
    surcharge = (
        '<Itemlist><MarkupItem ID="M" RNoPart="0090"><ITMarkup>100.00</ITMarkup><Markup>10.00</Markup><IT>10.00</IT>'
        "</MarkupItem></Itemlist>"
    )
    write_gaeb(path, bill_of(GivenPosition("0010", "Boden", quantity=D(10), unit_price=D(10))), extra=surcharge,
               total=D("110.00"))  # fmt: skip
    positions, result, _ = drain(path)
    markup = positions[1]
    assert (markup.billing, markup.unit, markup.unit_price, markup.total) == (Billing.SURCHARGE, "%", D(10), D(10))
    assert (markup.quantity, markup.quantity_reason) == (None, "surcharge on 100.00")
    assert_reconciled(result)


def test_price_shares_have_the_names_that_the_bill_gives_them(path, drain):
    write_gaeb(path, bill_of(GivenPosition("0010", "Boden", gaeb="<UPComp1>0.40</UPComp1><UPComp2>0.60</UPComp2>")))
    path.write_text(path.read_text().replace("<Name>LV</Name>", "<Name>LV</Name><LblUPComp1>Lohn</LblUPComp1>"))
    [position], *_ = drain(path)
    assert position.price_components == (("Lohn", D("0.40")), ("share 2", D("0.60")))


def test_a_discount_on_a_section_lowers_the_whole_and_not_itself(path, drain):
    bill = bill_of(GivenPosition("0010", "Boden", quantity=D(10), unit_price=D(10)))
    write_gaeb(path, bill, total=D("95.00"))
    path.write_text(path.read_text().replace(
        "</Itemlist></BoQBody></BoQCtgy>",
        "</Itemlist></BoQBody><Totals><Total>100.00</Total><TotAfterDisc>95.00</TotAfterDisc></Totals></BoQCtgy>",
    ))  # fmt: skip
    _, result, _ = drain(path)
    assert result.differences == ()


def test_lots_are_objects(path, drain):
    write_gaeb(path, bill_of(GivenPosition("0010", "Boden")))
    path.write_text(path.read_text().replace("<Type>BoQLevel</Type>", "<Type>Lot</Type>", 1))
    [position], *_ = drain(path)
    assert (position.object_code, position.object_name, position.number) == ("01", "Rohbau", "02.0010")


def test_long_texts_keep_their_paragraphs(path, drain):
    write_gaeb(path, bill_of(GivenPosition("0010", "Boden lösen")))
    detail = "<DetailTxt><Text><p><span>Boden </span><span>lösen</span></p><p>und<br/>laden</p></Text></DetailTxt>"
    path.write_text(path.read_text().replace("<CompleteText>", f"<CompleteText>{detail}"))
    [position], *_ = drain(path)
    assert position.description == "Boden lösen"
    assert position.long_text == "Boden lösen\nund\nladen"


@pytest.mark.parametrize("phase", ["85", "87", "31", "99"])
def test_other_phases_are_named_and_refused(path, phase):
    from projects.parsers.registry import open_bill

    write_gaeb(path, bill_of(GivenPosition("0010", "Boden")), phase=phase)
    with pytest.raises(ParseError, match=f"X{phase}") as refused:
        open_bill(path)
    assert refused.value.code == "unsupported_dialect"


# A bid and its tender


@pytest.fixture
def pair(tmp_path):
    bill = bill_of(
        GivenPosition("0010", "Boden lösen", "m3", D(450), D("5.00")),
        GivenPosition("0010", "Boden, belastet", "m3", D(20), D("9.50"), index="A"),
        GivenPosition(
            "0020", "Wahlposition", "m3", D(10), D("4.00"), gaeb="<ALNGroupNo>1</ALNGroupNo><ALNSerNo>1</ALNSerNo>"
        ),
    )
    counted = bill_of(*bill.objects[0].sections[0].positions[:2])
    tender, bid = tmp_path / "t.x83", tmp_path / "b.x84"
    write_gaeb(tender, bill, phase="83")
    bare = bill_of(*(replace(p, gaeb="") for p in bill.objects[0].sections[0].positions))
    write_gaeb(bid, bare, phase="84", total=counted.total)
    return tender, bid


def test_a_bid_alone_has_prices_and_says_why_it_has_no_quantities(pair, drain):
    positions, *_ = drain(pair[1])
    assert positions[0].quantity_reason == "X84 carries no quantities"
    assert positions[0].unit_price == D("5.00")


def test_joined_the_tender_gives_quantities_texts_and_billing_and_the_bid_prices(pair, drain):
    tender, bid = pair
    positions, result, bill = drain(bid, tender=tender)
    assert [(p.number, p.quantity, p.unit_price) for p in positions] == [
        ("01.02.0010", D(450), D("5.00")), ("01.02.0010.A", D(20), D("9.50")), ("01.02.0020", D(10), D("4.00")),
    ]  # fmt: skip
    assert positions[0].description == "Boden lösen"
    assert positions[2].billing is Billing.ALTERNATIVE
    assert result.computed_total == D("2440.00")
    assert_reconciled(result)
    assert bill.warnings == []


def test_positions_of_one_side_only_are_kept_with_a_warning_each(pair, drain):
    tender, bid = pair
    bid.write_text(bid.read_text().replace('RNoPart="0020"', 'RNoPart="0030"'))
    positions, _, bill = drain(bid, tender=tender)
    assert [p.number for p in positions] == ["01.02.0010", "01.02.0010.A", "01.02.0020", "01.02.0030"]
    assert [p.ordinal for p in positions] == [1, 2, 3, 4]
    assert bill.warnings == [
        "Position 01.02.0020 of the tender has no price in the bid.",
        "Position 01.02.0030 of the bid is not in the tender.",
    ]


def test_two_files_without_a_common_number_are_refused(pair, drain):
    tender, bid = pair
    bid.write_text(bid.read_text().replace('RNoPart="02"', 'RNoPart="77"'))
    with pytest.raises(ParseError, match="do not belong together") as refused:
        drain(bid, tender=tender)
    assert refused.value.code == "not_a_pair"


def test_two_tenders_are_no_pair(pair, drain):
    tender, _ = pair
    with pytest.raises(ParseError) as refused:
        drain(tender, tender=tender)
    assert refused.value.code == "not_a_pair"


def test_an_invoice_has_what_was_billed_and_says_that_it_is_one(path, drain):
    position = GivenPosition("0010", "Boden", "m3", D("30"), D("45.50"), gaeb="<BillQty>30.000</BillQty>")
    write_gaeb(path, bill_of(position), phase="89")
    text = (
        path.read_text("utf-8")
        .replace("<Qty>30</Qty>", "<Qty>40</Qty>")
        .replace(
            "</BoQ>",
            "</BoQ><InvoiceHeader><InvoiceNo>RE-7</InvoiceNo><InvoiceDate>2026-10-31</InvoiceDate></InvoiceHeader>",
        )
    )
    path.write_text(text, "utf-8")
    [found], _, bill = drain(path)
    assert (found.quantity, found.unit_price, found.total) == (D("30.000"), D("45.50"), D("1365.00"))
    assert bill.header.phase == "X89"
    assert [w.partition(": ")[2] for w in bill.warnings] == [
        "this is the invoice RE-7 of 2026-10-31: its quantities are what was billed, not what was tendered."
    ]


def test_a_position_of_an_invoice_without_a_billed_quantity_says_so(path, drain):
    write_gaeb(path, bill_of(GivenPosition("0010", "Boden")), phase="89")
    [found], *_ = drain(path)
    assert (found.quantity, found.quantity_reason) == (None, "nothing billed")
