"""V14 and N05: what files hide and how they are formed; V13 where a bid's own file differs from its tender."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from projects.audit.engine import audit
from projects.audit.file_facts import FileFacts, Remark, facts_of_file
from projects.audit.findings import Grade
from projects.demo.gaeb import bid_xml, tender_xml
from projects.demo.sports_hall import HALL
from tests.factories.bills import GivenPosition, write_csv, write_kros
from tests.factories.imports import given_bill
from tests.projects.audit.build import WHOLE, grades, not_checked, numbered, said, view

BILL = given_bill(GivenPosition("1", "Odkopávky", "m3", Decimal("123"), Decimal("29.10"), "121151113"))
UNSEEN = "the file was not looked through when it was read; have it read again"
ITEM = '<Item ID="{id}" RNoPart="{part}"{index}>{inner}</Item>'


def gaeb(tmp_path: Path, *items: str, phase: str = "83", version: str = "3.3") -> Path:
    """A GAEB file of one section "01" with these items."""
    body = "".join(items)
    info = f"<GAEBInfo><Version>{version}</Version></GAEBInfo>" if version else "<GAEBInfo/>"
    path = tmp_path / "bill.x83"
    path.write_text(
        f'<GAEB xmlns="http://www.gaeb.de/GAEB_DA_XML/DA{phase}/3.3">{info}<Award><DP>{phase}</DP><BoQ><BoQBody>'
        f'<BoQCtgy RNoPart="01"><BoQBody><Itemlist>{body}</Itemlist></BoQBody></BoQCtgy></BoQBody></BoQ></Award>'
        "</GAEB>",
        encoding="utf-8",
    )
    return path


def item(inner: str = "<Qty>1.000</Qty>", *, part: str = "0010", xml_id: str = "a", index: str = "") -> str:
    return ITEM.format(id=xml_id, part=part, index=f' RNoIndex="{index}"' if index else "", inner=inner)


def faults(path: Path) -> list[str]:
    facts = facts_of_file(path, dialect="gaeb_xml", document="bill.x83")
    assert not facts.problem
    return [remark.code for remark in facts.remarks]


@pytest.mark.parametrize(
    ("quantity", "is_fault"),
    [("12345678.012", False), ("123456789.0", True), ("1.0125", True), ("1.0120", False), ("0012.5", False),
     ("12,5", True), ("-3.5", False)],
)  # fmt: skip
def test_n05_quantities_have_eight_and_three_digits(tmp_path: Path, quantity: str, is_fault: bool) -> None:
    assert ("quantity_digits" in faults(gaeb(tmp_path, item(f"<Qty>{quantity}</Qty>")))) == is_fault


def test_n05_a_unit_price_has_six_components_at_most(tmp_path: Path) -> None:
    six = "".join(f"<UPComp{n}>1</UPComp{n}>" for n in range(1, 7))
    priced = "<Qty>1</Qty><UP>6</UP><IT>6</IT>"
    assert faults(gaeb(tmp_path, item(priced + six), phase="84")) == []
    assert faults(gaeb(tmp_path, item(f"{priced}{six}<UPComp7>1</UPComp7>"), phase="84")) == ["components"]


def test_n05_numbers_are_unique_with_their_index_and_ids_too(tmp_path: Path) -> None:
    assert faults(gaeb(tmp_path, item(), item(xml_id="b", index="A"))) == []
    assert faults(gaeb(tmp_path, item(), item(xml_id="b"))) == ["number_repeated"]
    assert faults(gaeb(tmp_path, item(), item(part="0020"))) == ["id_repeated"]
    assert faults(gaeb(tmp_path, item(part="", xml_id=""))) == ["no_number", "no_id"]


def test_n05_a_tender_has_no_prices_and_a_bid_has(tmp_path: Path) -> None:
    assert faults(gaeb(tmp_path, item("<Qty>1</Qty><UP>5</UP>"))) == ["priced"]
    assert faults(gaeb(tmp_path, item("<Qty>1</Qty>"), phase="84")) == ["unpriced"]
    assert faults(gaeb(tmp_path, item("<NotOffered>Yes</NotOffered>"), phase="84")) == []


def test_n05_the_version_is_told_and_known(tmp_path: Path) -> None:
    assert faults(gaeb(tmp_path, item(), version="")) == ["no_version"]
    assert faults(gaeb(tmp_path, item(), version="2.1")) == ["version"]


GAEB = {"catalogue": "GAEB", "code": "", "price_system": ""}


def test_n05_is_said_of_the_position_and_the_schema_is_never_called_checked() -> None:
    facts = FileFacts("bill.x83", "gaeb_xml", remarks=(Remark(7, "SO 1.2", "no_id", "The position has no ID."),))
    budget = view(*numbered(GAEB, GAEB), dialect="gaeb_xml", file_facts=[facts])
    assert grades(budget, "N05") == [(1, Grade.AMBER)]
    assert "schema" in not_checked(audit(budget), "N05")[0]
    unknown = view(*numbered(GAEB), dialect="gaeb_xml")
    assert not_checked(audit(unknown), "N05") == [
        "the file was not looked through when it was read; have it read again"
    ]


def test_facts_of_a_damaged_file_say_so_and_are_not_taken_for_clean(tmp_path: Path) -> None:
    path = gaeb(tmp_path, item())
    path.write_text(path.read_text()[:-40])
    facts = facts_of_file(path, dialect="gaeb_xml", document="bill.x83")
    assert "damaged" in facts.problem
    budget = view(*numbered(GAEB), dialect="gaeb_xml", file_facts=[facts])
    assert "damaged" in not_checked(audit(budget), "N05")[0]


def test_facts_come_back_from_json_as_they_were() -> None:
    facts = FileFacts(
        "a", "kros_xlsx", hidden_sheets=("x",), hidden_rows=("S!1",), errors=(("S!A1", "#REF!"),), constants=("S!B2",),
        remarks=(Remark(1, "2", "c", "m"),), changes=(Remark(3, "4", "unit", "m"),), is_complete=False, problem="p",
    )  # fmt: skip
    assert FileFacts.from_json(facts.as_json()) == facts


def _at(row: int, **changes: object) -> dict[str, object]:
    return {"source": f"SO 1!A{row}", **changes}


def test_v14_hidden_rows_lost_formulas_and_errors_are_amber_where_they_stand() -> None:
    facts = FileFacts(
        "b.xlsx", "kros_xlsx", hidden_sheets=("SO 2",), hidden_rows=("SO 1!11", "SO 1!99"),
        errors=(("SO 1!H12", "#REF!"), ("SO 1!Z1", "#N/A")), constants=("SO 1!J13", "SO 1!J98"),
    )  # fmt: skip
    rows = numbered(_at(11), _at(12), _at(13), _at(14), {"source": "SO 2!A5"})
    budget = view(*rows, dialect="kros_xlsx", file_facts=[facts])
    assert grades(budget, "V14") == [(WHOLE, Grade.AMBER)] * 2 + [(i, Grade.AMBER) for i in (0, 1, 2)]
    assert {f.subject for f in said(budget, "V14") if f.index == WHOLE} == {"sheet SO 2", "errors of b.xlsx"}


def test_v14_hidden_rows_without_a_price_are_nobodys_business() -> None:
    facts = FileFacts("b.xlsx", "kros_xlsx", hidden_rows=("SO 1!11",), hidden_sheets=("SO 1",))
    budget = view(*numbered(_at(11, unit_price=None, total=None)), dialect="kros_xlsx", file_facts=[facts])
    assert grades(budget, "V14") == []


def test_v14_files_that_were_not_looked_through_are_told_never_green() -> None:
    budget = view(*numbered(_at(11)), dialect="kros_xlsx")
    assert not_checked(audit(budget), "V14") == [UNSEEN]
    problem = view(*numbered(_at(11)), file_facts=[FileFacts("b.ods", "table", problem="xlsx only")])
    assert not_checked(audit(problem), "V14") == ["b.ods: xlsx only"]
    cut = FileFacts("b.xlsx", "table", is_complete=False)
    assert "more hidden rows" in not_checked(audit(view(*numbered(_at(11)), file_facts=[cut])), "V14")[0]


def test_v14_does_not_speak_of_files_without_cells(tmp_path: Path) -> None:
    write_csv(tmp_path / "b.csv", BILL)
    facts = facts_of_file(tmp_path / "b.csv", dialect="table", document="b.csv")
    assert not facts.problem
    assert not_checked(audit(view(*numbered({"source": "row 2"}), dialect="table", file_facts=[facts])), "V14") == []


def test_facts_of_a_workbook_name_what_is_hidden(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    path = tmp_path / "b.xlsx"
    write_kros(path, BILL)
    assert facts_of_file(path, dialect="kros_xlsx", document="b.xlsx").hidden_rows == ()
    book = load_workbook(path)
    sheet = book.worksheets[-1]
    for number in range(1, sheet.max_row + 1):
        if any(str(cell.value).startswith("Odkop") for cell in sheet[number]):
            sheet.row_dimensions[number].hidden = True
    book.save(path)
    facts = facts_of_file(path, dialect="kros_xlsx", document="b.xlsx")
    assert len(facts.hidden_rows) == 1
    assert facts.hidden_rows[0].startswith(f"{sheet.title}!")


def test_v13_a_bid_file_that_repeats_the_tender_otherwise_is_told(tmp_path: Path) -> None:
    tender, bid = tmp_path / "t.x83", tmp_path / "b.x84"
    tender.write_bytes(tender_xml(HALL))
    bid.write_bytes(bid_xml(HALL))
    assert facts_of_file(bid, dialect="gaeb_xml", document="b", tender=tender).changes == ()
    text = tender.read_text(encoding="utf-8")
    changed = text.replace("<Qty>", "<Qty>9", 1).replace("/DA83/", "/DA84/").replace("<DP>83</DP>", "<DP>84</DP>")
    bid.write_text(changed, encoding="utf-8")
    (change,) = facts_of_file(bid, dialect="gaeb_xml", document="b", tender=tender).changes
    assert change.code == "quantity"
    facts = FileFacts("b.x84", "gaeb_xml", changes=(Remark(9, "SO 1.2", "quantity", "9 in place of 1"),))
    rows = numbered(GAEB, GAEB)
    budget = view(*rows, phase="X84", dialect="gaeb_xml", file_facts=[facts], blank=rows)
    assert grades(budget, "V13") == [(1, Grade.RED)]


def test_v13_a_bid_need_not_repeat_what_the_tender_says() -> None:
    blank = numbered({"unit_price": None, "total": None})
    silent = {"description": "", "unit": None, "quantity": None, "total": 5}
    assert grades(view(*numbered(silent), phase="X84", blank=blank), "V13") == []
    assert grades(view(*numbered(silent), blank=blank), "V13") == [(0, Grade.RED)]


def test_v13_a_blank_file_that_is_gone_is_told_with_its_reason() -> None:
    budget = view(*numbered({}), phase="X84", absent={"blank": "the blank file is damaged"})
    assert not_checked(audit(budget), "V13") == ["the blank file is damaged"]
