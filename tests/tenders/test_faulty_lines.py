"""JSON lines whose first line is faulty: the good ones come in. Packages over several lines stay packages."""

from __future__ import annotations

import io

import orjson
import pytest

from tenders.readers import Rejected, Release, read
from tenders.readers.reading import format_of
from tests.factories.notices import given_release, lines_of

GOOD = lines_of(given_release(1), given_release(2))


@pytest.mark.parametrize(
    "first",
    [b"{broken", b'{"ocid": "ocds-1", "tender": {"title": "cut in the mid', b'{"ocid": "ocds-1",', b"{", b"}", b"[1,",
     b"not JSON at all", b'{"ocid": }', b"# exported 2026-11-22"],
)  # fmt: skip
def test_a_faulty_first_line_costs_one_line(first: bytes) -> None:
    items = list(read(io.BytesIO(first + b"\n" + GOOD)).items)
    assert [type(item) for item in items] == [Rejected, Release, Release]
    assert items[0].number == 1  # type: ignore[union-attr]


def test_one_good_line_after_a_faulty_one_is_enough() -> None:
    items = list(read(io.BytesIO(b'{"ocid": "ocds-1", "ti\n' + lines_of(given_release(1)))).items)
    assert [type(item) for item in items] == [Rejected, Release]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("opening", [b'{"releases": [\n', b'{"version": "1.1",\n"releases": [\n', b"[\n"])
def test_a_package_with_a_release_on_each_line_is_still_a_package(opening: bytes, count: int) -> None:
    releases = b",\n".join(orjson.dumps(given_release(number)) for number in range(count))
    content = opening + releases + (b"\n]" if opening.startswith(b"[") else b"\n]}")
    assert format_of(content) == "ocds_package"
    items = list(read(io.BytesIO(content)).items)
    if not opening.startswith(b"["):
        assert [type(item) for item in items] == [Release] * count


def test_a_first_line_longer_than_what_is_looked_at_is_a_line() -> None:
    long = given_release(1, tender={"description": "x" * 100_000, "items": [{"ocid": "no", "releases": []}]})
    items = list(read(io.BytesIO(lines_of(long, given_release(2)))).items)
    assert [type(item) for item in items] == [Release, Release]
    package = orjson.dumps({"version": "1.1", "releases": [long, given_release(2)]})
    assert format_of(package[:65536]) == "ocds_package"
