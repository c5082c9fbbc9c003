"""Packed and plain models; what is cut short, too large or of another schema is refused before it is parsed."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from projects.ifc import container
from projects.ifc.container import is_model, unpacked
from projects.parsers.bill import ParseError

STEP = (
    b"ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n"
    b"FILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n"
)


def packed(folder: Path, kind: str, content: bytes = STEP) -> Path:
    path = folder / f"upload.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.ifc", content)
    else:
        path.write_bytes(gzip.compress(content) if kind == "gz" else content)
    return path


def refusal(path: Path, folder: Path) -> str:
    with pytest.raises(ParseError) as refused:
        unpacked(path, folder)
    return refused.value.code


@pytest.mark.parametrize("kind", ["ifc", "gz", "zip"])
def test_each_packing_is_known_by_content_and_unpacked(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind)
    assert is_model(path.read_bytes()[:4096])
    assert unpacked(path, tmp_path).read_bytes() == STEP


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b", b"%PDF-1.7", b"\x1f\x8bnonsense"], ids=repr)
def test_other_files_are_no_models(content: bytes) -> None:
    assert not is_model(content)


@pytest.mark.parametrize("kind", ["ifc", "gz", "zip"])
def test_a_model_that_was_cut_short_is_refused(tmp_path: Path, kind: str) -> None:
    assert refusal(packed(tmp_path, kind, STEP[:-20]), tmp_path) == "damaged"


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_an_archive_that_was_cut_short_is_refused(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-30])
    assert refusal(path, tmp_path) == "damaged"


@pytest.mark.parametrize("kind", ["ifc", "gz", "zip"])
def test_what_is_too_large_unpacked_is_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_PLAIN", 1000)
    bomb = STEP.replace(b"DATA;\n", b"DATA;\n" + b"/* */" * 10_000)
    assert refusal(packed(tmp_path, kind, bomb), tmp_path) == "too_large"


def test_another_schema_is_refused_by_its_name(tmp_path: Path) -> None:
    path = packed(tmp_path, "ifc", STEP.replace(b"IFC4", b"AUTOMOTIVE_DESIGN"))
    with pytest.raises(ParseError, match="AUTOMOTIVE_DESIGN") as refused:
        unpacked(path, tmp_path)
    assert refused.value.code == "unsupported_schema"


def test_an_archive_of_two_models_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.ifc", STEP)
        archive.writestr("two.ifc", STEP)
    assert refusal(path, tmp_path) == "no_model"
