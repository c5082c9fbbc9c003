"""Real notices all the way into the database: none lost, none twice, each field where the publisher stated it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tenders.models import Import, Rejection, Source, Tender, TenderRelease
from tenders.readers import Release, compile_releases, read
from tenders.services import sources

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere")) / "tenders"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not FOLDER.is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"),
]
OCDS = sorted(FOLDER.glob("ocds_*.json*"))
EFORMS = sorted((FOLDER / "ted_eforms_xml").glob("*.xml"))
STANDARD = "ocds_standard_change_history_"
NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "efac": "http://data.europa.eu/p27/eforms-ubl-extension-aggregate-components/1",
}


@pytest.fixture
def source(transactional_db: None) -> Source:
    return sources.source_named(name="Real")


def bring(source: Source, *paths: Path) -> list[Import]:
    records = []
    for path in paths:
        with path.open("rb") as stream:
            records.append(sources.import_file(source=source, stream=stream, filename=path.name))
    return records


def is_accounted_for(record: Import) -> bool:
    return record.fetched == record.created + record.updated + record.unchanged + record.rejected


def releases_in(path: Path) -> int:
    """Counted without our readers. A record stands for its embedded releases; of linked ones, for the compiled one."""

    def count(value: Any) -> int:
        if isinstance(value, list):
            return sum(count(each) for each in value)
        if "records" in value:
            return sum(sum("ocid" in each for each in record["releases"]) or 1 for record in value["records"])
        return len(value["releases"]) if "releases" in value else 1

    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return sum(count(json.loads(line)) for line in text.splitlines() if line.strip())
    return count(json.loads(text))


@pytest.mark.parametrize("path", OCDS, ids=lambda path: path.stem)
def test_every_release_is_stored_or_rejected_with_a_reason(source: Source, path: Path) -> None:
    (record,) = bring(source, path)
    assert (record.status, record.error) == (Import.Status.COMPLETED, "")
    assert record.fetched == releases_in(path) > 0
    assert is_accounted_for(record)
    assert Rejection.objects.exclude(reason="").count() == record.rejected
    assert TenderRelease.objects.count() == record.created + record.updated
    assert Tender.objects.count() == record.created
    assert not Tender.objects.filter(title="").exists()


def test_a_second_run_over_all_of_it_writes_nothing(source: Source) -> None:
    paths = [*OCDS, *EFORMS, FOLDER / "saudi_etimad_271_tenders_ar.csv"]
    first = bring(source, *paths)
    assert all(is_accounted_for(record) for record in first)
    stamps = list(Tender.objects.order_by("pk").values_list("pk", "changed_at", "releases_count", "index__words"))
    releases = TenderRelease.objects.count()
    for record, again in zip(first, bring(source, *paths), strict=True):
        told = (again.created, again.updated, again.unchanged, again.rejected)
        assert told == (0, 0, record.fetched - record.rejected, record.rejected), record.filename
    assert (
        list(Tender.objects.order_by("pk").values_list("pk", "changed_at", "releases_count", "index__words")) == stamps
    )
    assert TenderRelease.objects.count() == releases


def test_the_standards_change_history_compiles_to_the_standards_record() -> None:
    record = json.loads((FOLDER / f"{STANDARD}record_contractAmendment.json").read_text())["records"][0]
    releases = []
    for path in FOLDER.glob(f"{STANDARD}*.json"):
        if "record" not in path.name:
            with path.open("rb") as stream:
                releases += [item.raw for item in read(stream, name=path.name).items if isinstance(item, Release)]
    assert len(releases) == 6
    compiled, expected = compile_releases(releases), dict(record["compiledRelease"])
    # The id of a compiled release is for its maker to choose.
    for known in (compiled, expected):
        known.pop("id", None)
    assert plain(compiled) == plain(expected)


def plain(value: Any, name: str = "") -> Any:
    """Times in one spelling: "Z" and "+00:00" say the same."""
    if isinstance(value, dict):
        return {key: plain(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each, name) for each in value]
    if isinstance(value, str) and "date" in name.lower():
        return value.replace("+00:00", "Z")
    return value


def test_all_eforms_notices_have_title_cpv_and_buyer(source: Source) -> None:
    assert len(EFORMS) == 34
    for record in bring(source, *EFORMS):
        assert (record.fetched, record.rejected, record.error) == (1, 0, ""), record.filename
    tenders = Tender.objects.all()
    for field in ("title", "cpv_main", "buyer_name"):
        assert not tenders.filter(**{field: ""}).exists(), field
    assert {len(code) for code in tenders.values_list("cpv_main", flat=True)} == {8}
    assert TenderRelease.objects.count() == 34


def states(tree: Any, *paths: str) -> bool:
    return any(text.strip() for path in paths for text in tree.xpath(f"{path}/text()", namespaces=NAMESPACES))


DEADLINES = [
    f"//cac:ProcurementProjectLot/cac:TenderingProcess/cac:{period}/cbc:EndDate"
    for period in ("TenderSubmissionDeadlinePeriod", "ParticipationRequestReceptionPeriod")
]
VALUES = ["//cac:RequestedTenderTotal/cbc:EstimatedOverallContractAmount"]


def test_eforms_have_a_deadline_and_a_value_where_the_notice_states_them(transactional_db: None) -> None:
    """Counted apart, by paths of our own into the file."""
    stated = {"deadline": 0, "value": 0}
    for number, path in enumerate(EFORMS):
        bring(sources.source_named(name=f"Notice {number}"), path)
        tender = Tender.objects.get(source__name=f"Notice {number}")
        tree = etree.parse(path)
        has_deadline, has_value = states(tree, *DEADLINES), states(tree, *VALUES)
        if has_deadline:
            assert tender.deadline_at is not None, path.name
        if has_value:
            assert tender.value_amount is not None and len(tender.value_currency) == 3, path.name
        stated["deadline"] += has_deadline
        stated["value"] += has_value
    assert stated["deadline"] > 0 and stated["value"] > 0


def test_etimad_brings_271_tenders_and_no_key_of_the_ruined_column(source: Source) -> None:
    (record,) = bring(source, FOLDER / "saudi_etimad_271_tenders_ar.csv")
    assert (record.fetched, record.created, record.rejected) == (271, 271, 0)
    keys = list(Tender.objects.values_list("key", flat=True))
    assert len(set(keys)) == 271
    assert not any("E+" in key.upper() for key in keys)
    assert not Tender.objects.filter(title="").exists()
    assert Tender.objects.filter(title__regex="[\u0600-\u06ff]").count() > 200
