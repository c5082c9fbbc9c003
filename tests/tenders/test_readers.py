"""Reading notices: every format, and everything that publishers do to it."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tenders.readers import Format, Rejected, Release, compile_releases, notice_of, read
from tenders.readers.notice import (
    DEADLINE_SUSPICIOUS,
    DEADLINE_WITHOUT_ZONE,
    TEST_NOTICE,
    TITLE_FROM_DESCRIPTION,
    TITLE_FROM_RATIONALE,
    TITLE_MISSING,
)
from tenders.readers.reading import NotReadable
from tenders.readers.streams import LARGEST_RECORD
from tests.factories.notices import eforms_notice, given_release, lines_of, package_of


def reading(content: bytes, **options: Any) -> tuple[Format, list[Release], list[Rejected]]:
    found = read(io.BytesIO(content), **options)
    items = list(found.items)
    return (
        found.format,
        [item for item in items if isinstance(item, Release)],
        [item for item in items if isinstance(item, Rejected)],
    )


TWO = (given_release(1), given_release(2))


@pytest.mark.parametrize(
    "content",
    [
        package_of(*TWO),
        json.dumps({"releases": TWO}).encode(),
        lines_of(*TWO),
        gzip.compress(lines_of(*TWO), mtime=0),
        gzip.compress(package_of(*TWO), mtime=0),
        b"\xef\xbb\xbf" + lines_of(*TWO),
        json.dumps(TWO).encode(),
        json.dumps([{"releases": [TWO[0]]}, {"releases": [TWO[1]]}]).encode(),
        json.dumps({"records": [{"ocid": r["ocid"], "releases": [r]} for r in TWO]}).encode(),
        json.dumps(
            {"records": [{"ocid": r["ocid"], "releases": [{"url": "x"}], "compiledRelease": r} for r in TWO]}
        ).encode(),
        lines_of({"releases": list(TWO)}, {"releases": []}),
    ],
    ids=[
        "package",
        "one_line",
        "lines",
        "gzip_lines",
        "gzip_package",
        "bom",
        "list",
        "packages",
        "records",
        "linked",
        "mixed",
    ],
)
def test_every_way_to_write_two_releases_is_read(content: bytes) -> None:
    _, releases, rejected = reading(content)
    assert [release.key for release in releases] == ["ocds-test-1", "ocds-test-2"]
    assert rejected == []


def test_a_bad_record_costs_itself_only() -> None:
    content = lines_of(given_release(1)) + b'{"ocid": broken\n' + lines_of({"id": "no ocid"}, 7, given_release(2))
    _, releases, rejected = reading(content)
    assert [release.key for release in releases] == ["ocds-test-1", "ocds-test-2"]
    assert [(item.number, item.is_end) for item in rejected] == [(2, False), (3, False), (4, False)]
    assert rejected[0].offset == len(lines_of(given_release(1)))
    assert rejected[0].raw == '{"ocid": broken'
    assert "no ocid" in rejected[1].reason
    assert "a number" in rejected[2].reason


def test_what_was_read_before_a_cut_counts() -> None:
    many = [given_release(n) for n in range(2000)]
    half = package_of(*many)[: len(package_of(*many)) // 2]
    _, releases, rejected = reading(half)
    assert 900 < len(releases) < 1100
    assert rejected[-1].is_end and "cut off" in rejected[-1].reason

    packed = gzip.compress(lines_of(*many))
    _, releases, rejected = reading(packed[: len(packed) * 3 // 4])
    assert len(releases) > 1000
    assert rejected[-1].is_end and "ends early" in rejected[-1].reason


def test_a_line_too_long_is_passed_over_and_a_record_too_large_ends_the_reading() -> None:
    text = b'{"ocid": "long", "x": "' + b"y" * (LARGEST_RECORD + 1_000_000) + b'"}'
    _, releases, rejected = reading(lines_of(given_release(1)) + text + b"\n" + lines_of(given_release(2)))
    assert [release.key for release in releases] == ["ocds-test-1", "ocds-test-2"]
    assert "longer than 32 MB" in rejected[0].reason

    package = b'{"releases": [' + json.dumps(given_release(1)).encode() + b"," + text + b"]}"
    _, releases, rejected = reading(package)
    assert len(releases) == 1
    assert rejected[0].is_end and "larger than 32 MB" in rejected[0].reason


def test_brackets_without_end_are_refused_before_they_fill_the_memory() -> None:
    _, releases, rejected = reading(b'{"a":' * 100_000)
    assert releases == []
    assert "nested more than 500 deep" in rejected[0].reason


def test_a_thousand_empty_releases_are_a_thousand_rejections() -> None:
    _, releases, rejected = reading(package_of(*({} for _ in range(1001))))
    assert releases == []
    assert len(rejected) == 1001
    assert {item.reason for item in rejected} == {"It is empty."}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"<!doctype html><html><body>Please sign in</body></html>", "web page"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "no text"),
        (b"a,b\n1,2\n", "looks like a title"),
        (gzip.compress(b"{}", mtime=0)[:8], "ends early"),
    ],
)
def test_what_is_no_file_of_notices_is_refused_in_words(content: bytes, told: str) -> None:
    with pytest.raises(NotReadable, match=told):
        reading(content)


def test_entities_of_xml_are_neither_resolved_nor_read() -> None:
    text = eforms_notice().replace(
        b"<ContractNotice", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><ContractNotice', 1
    )
    _, releases, rejected = reading(text.replace(b"Rekonstrukce mostu.", b"&e;"))
    assert releases == []
    assert "entities" in rejected[0].reason


def test_an_eforms_notice_becomes_a_release() -> None:
    kind, [release], rejected = reading(eforms_notice())
    notice = notice_of(release.raw)
    assert (kind, rejected, release.key) == (Format.EFORMS, [], "folder-1")
    assert (notice.title, notice.cpv_main, notice.buyer_name) == ("Most přes Jihlavu", "45221100", "Město Jihlava")
    assert (notice.country, notice.language, notice.category) == ("CZ", "cs", "works")
    assert (notice.value_amount, notice.value_currency) == (Decimal("4200000.00"), "CZK")  # of its only lot
    assert notice.deadline_at == datetime(2026, 12, 10, 11, 0, tzinfo=UTC)
    assert notice.url.endswith("/123456-2026")


def test_a_table_is_understood_by_its_headings() -> None:
    text = (
        "\ufeffČíslo zakázky;Název zakázky;Zadavatel;Předpokládaná hodnota;Měna;Lhůta pro podání nabídek;Kód CPV\n"
        "Z-1;Oprava mostu;Město Třebíč;1 234 567,50;CZK;24.12.2026 10:00;45221119-9\n"
        "2.50E+11;Kanalizace;Obec Luka;;;;\n;;;;;;\n"
    )
    found = read(io.BytesIO(text.encode()), name="vvz.csv")
    assert found.mapping["deadline"] == "Lhůta pro podání nabídek"
    first, second = [item for item in found.items if isinstance(item, Release)]
    notice = notice_of(first.raw)
    assert (first.key, notice.title, notice.value_amount) == ("Z-1", "Oprava mostu", Decimal("1234567.50"))
    assert (notice.deadline_at, notice.cpv_codes) == (datetime(2026, 12, 24, 10, 0, tzinfo=UTC), ("45221119",))
    assert DEADLINE_WITHOUT_ZONE in notice.flags
    assert second.key.startswith("row:")  # a spreadsheet has ruined its number


def test_a_mapping_that_somebody_made_goes_before_the_headings() -> None:
    content = b"a,b,c\nfirst,second,third\n"
    _, [release], _ = reading(content, mapping={"title": "b", "buyer": "c"})
    assert (notice_of(release.raw).title, notice_of(release.raw).buyer_name) == ("second", "third")


@pytest.mark.parametrize(
    ("changes", "title", "flag"),
    [
        ({"tender": {"title": ""}}, "Milling and a new wearing course over 3.2 km.", TITLE_FROM_DESCRIPTION),
        (
            {"tender": {"title": None, "description": 5 * [1]}, "planning": {"rationale": "The bridge is old. Very."}},
            "The bridge is old.",
            TITLE_FROM_RATIONALE,
        ),
        ({"tender": {"title": "  ", "description": ""}}, "Untitled notice ocds-test-1", TITLE_MISSING),
        ({"tender": {"title": "TEST NOTICE please ignore"}}, "TEST NOTICE please ignore", TEST_NOTICE),
        (
            {"tender": {"tenderPeriod": {"endDate": "2043-01-01T00:00:00Z"}}},
            "Resurfacing of road II/1",
            DEADLINE_SUSPICIOUS,
        ),
    ],
)
def test_what_a_publisher_leaves_out_is_found_elsewhere_and_flagged(changes: Any, title: str, flag: str) -> None:
    notice = notice_of(given_release(1, **changes))
    assert notice.title == title
    assert flag in notice.flags


@pytest.mark.parametrize("wrong", [None, 7, "text", [], [None], {"a": [1]}, True])
def test_fields_of_any_shape_break_nothing(wrong: Any) -> None:
    for name in ("tender", "buyer", "parties", "awards", "planning", "date", "language", "contracts"):
        assert notice_of(given_release(1) | {name: wrong}).title
    for name in ("value", "items", "lots", "documents", "classification", "tenderPeriod", "procuringEntity"):
        assert notice_of(given_release(1, tender={name: wrong})).title


def test_codes_are_gathered_from_everywhere_once() -> None:
    notice = notice_of(
        given_release(
            1,
            tender={
                "items": [
                    {
                        "id": "1",
                        "classification": {"scheme": "CPV", "id": "45233141"},
                        "additionalClassifications": [
                            {"scheme": "CPV", "id": "45233220"},
                            {"scheme": "UNSPSC", "id": "72141"},
                        ],
                    }
                ]
            },
            awards=[{"id": "a", "items": [{"id": "1", "classification": {"scheme": "CPV", "id": "45111000-8"}}]}],
        )
    )
    assert notice.cpv_codes == ("45233220", "45233141", "45111000")
    assert notice.unspsc_codes == ("72141",)


def test_an_address_that_is_no_web_address_is_not_linked_to() -> None:
    documents = [{"id": "1", "documentType": "tenderNotice", "url": "javascript:alert(1)"}]
    notice = notice_of(given_release(1, tender={"documents": documents}))
    assert notice.url == ""
    assert notice.documents == ()


def test_releases_are_merged_in_the_order_of_time_not_of_text() -> None:
    first = given_release(1, date="2026-11-01T10:00:00+02:00", tender={"title": "As first said"})
    second = given_release(1, date="2026-11-01T09:00:00Z", id="2", tender={"title": "As amended"})
    compiled = compile_releases([second, first])
    assert compiled["tender"]["title"] == "As amended"
    assert compiled["tag"] == ["compiled"]


def test_releases_of_contradicting_shapes_are_refused_not_guessed() -> None:
    first = given_release(1, tender={"value": "to be announced"})
    second = given_release(1, id="2", date="2026-11-02T00:00:00Z")
    with pytest.raises(ValueError, match="can't be merged"):
        compile_releases([first, second])


def test_a_part_of_another_shape_would_wipe_out_the_others_and_is_rejected() -> None:
    _, releases, rejected = reading(lines_of(given_release(1) | {"tender": "none any more"}))
    assert (releases, rejected[0].reason) == ([], "Its tender should be an object, not a text.")
