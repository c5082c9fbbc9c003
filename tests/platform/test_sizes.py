"""What is read at one go stays short: files of at most 400 lines, functions of at most 40."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 40


def sources(*suffixes: str) -> Iterator[Path]:
    """Written by hand: what git knows or would take up, without migrations."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in listed:
        path = ROOT / name
        if path.suffix in suffixes and path.parent.name != "migrations" and path.exists():
            yield path


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources(".py", ".js", ".css", ".html")}
    assert len(lengths) > 100
    long = {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > LINES_OF_A_FILE}
    assert not long


def test_no_function_is_long() -> None:
    long = {}
    for path in sources(".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_OF_A_FUNCTION:
                long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = lines
    assert not long
