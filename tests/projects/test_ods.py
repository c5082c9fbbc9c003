"""An OpenDocument sheet goes the way of every table: proposal, mapping page, remembered columns, positions."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import User
from projects.models import Position
from projects.parsers.registry import detect
from tests.factories.bills import write_ods
from tests.factories.imports import upload
from tests.factories.projects import make_project
from tests.projects.pages import JSON, signed_in, url

pytestmark = pytest.mark.django_db

CERTAIN = [["Stavba: Dům"], ["Poř. č.", "Kód", "Popis", "MJ", "Množství", "J. cena", "Cena celkem"],
           ["1", "121151113", "Odkopávky", "m3", "12,5", "100,00", "1250,00"],
           ["2", "451573111", "Lože", "m3", "2", "900", "1800,00"]]  # fmt: skip
VAGUE = [["Co", "Kolik", "Za kolik", "V čem"], ["Výkop rýh", "12,5", "100", "m3"], ["Beton základů", "3", "2000", "m3"]]


def as_figures(path: Path) -> None:
    """Figures as a spreadsheet program stores them: a value beside the text that is shown."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    content = parts["content.xml"].decode()
    for text, value in (("12,5", "12.5"), ("100,00", "100"), ("1250,00", "1250"), ("900", "900"), ("1800,00", "1800")):
        content = content.replace(
            f'office:value-type="string"><text:p>{text}<',
            f'office:value-type="float" office:value="{value}"><text:p>{text}<',
        )
    parts["content.xml"] = content.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


def test_a_sheet_with_clear_titles_is_read_at_once(owner: User, tmp_path: Path) -> None:
    path = write_ods(tmp_path / "bill.ods", CERTAIN)
    as_figures(path)
    found = detect(path)
    assert (found.dialect, found.score) == ("table", 40)
    project = make_project(owner)
    document = upload(project, owner, path)
    assert (document.parse_status, document.file_type, project.total_cost) == ("completed", "ods", Decimal("3050.00"))
    rows = Position.objects.filter(project=project).order_by("ordinal")
    assert [(row.code, row.quantity, row.unit_price) for row in rows] == [
        ("121151113", Decimal("12.5"), Decimal(100)),
        ("451573111", Decimal(2), Decimal(900)),
    ]
    assert rows[0].source == "List 1!A3"


def test_the_mapping_page_serves_a_sheet_without_clear_titles(owner: User, tmp_path: Path) -> None:
    project = make_project(owner)
    document = upload(project, owner, write_ods(tmp_path / "bill.ods", VAGUE))
    assert document.parse_error_code == "mapping_needed"
    client = signed_in(owner)
    address = url("document-mapping", project.pk, document.pk)
    page = client.get(address)
    assert page.status_code == 200 and "Výkop rýh" in page.content.decode()
    answer = client.post(address, {
        "sheet": "List 1", "header_row": "1", "decimal_mark": ",", "currency": "CZK", "column_0": "description",
        "column_1": "quantity", "column_2": "unit_price", "column_3": "unit",
    }, headers=JSON)  # fmt: skip
    assert answer.status_code in (200, 302), answer.content[:300]
