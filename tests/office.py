"""Run by a Python that has LibreOffice's `uno`: opens each workbook named, as a person would, and computes all of it.

Writes to the last argument, as JSON: {path: {asked: [what was asked], sheets: {name: [[row, column, result]]}}},
results of formulas only, places from 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uno
import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.task import XInteractionHandler

PATIENCE_S = 60


class Asked(unohelper.Base, XInteractionHandler):
    """Whatever a person would have to answer (repair the file? its password?) is kept, and answered with no."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    def handle(self, request: Any) -> None:
        self.questions.append(str(request.getRequest())[:500])


def main(paths: list[str], target: str) -> None:
    with TemporaryDirectory(prefix="office-", ignore_cleanup_errors=True) as profile:
        pipe = f"plumbline-{os.getpid()}"
        program = subprocess.Popen(
            ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--norestore", "--nologo",
             "--nodefault", f"--accept=pipe,name={pipe};urp;"]
        )  # fmt: skip
        try:
            desktop = _desktop(pipe)
            Path(target).write_text(json.dumps({path: _opened(desktop, path) for path in paths}), "utf-8")
            desktop.terminate()
        finally:
            try:
                program.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                program.kill()


def _desktop(pipe: str) -> Any:
    context = uno.getComponentContext()
    resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            there = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _opened(desktop: Any, path: str) -> dict[str, Any]:
    asked = Asked()
    url = uno.systemPathToFileUrl(path)
    document = desktop.loadComponentFromURL(
        url, "_blank", 0, (_property("Hidden", True), _property("InteractionHandler", asked))
    )
    if document is None:
        return {"asked": asked.questions or ["not opened"], "sheets": {}}
    document.calculateAll()
    sheets = {sheet.Name: _results(sheet) for sheet in document.Sheets}
    document.close(True)
    return {"asked": asked.questions, "sheets": sheets}


def _results(sheet: Any) -> list[list[Any]]:
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    end = cursor.RangeAddress
    area = sheet.getCellRangeByPosition(0, 0, end.EndColumn, end.EndRow)
    results = area.getDataArray()
    return [
        [row + 1, column + 1, results[row][column]]
        for row, cells in enumerate(area.getFormulaArray())
        for column, text in enumerate(cells)
        if str(text).startswith("=")
    ]


def _property(name: str, value: Any) -> Any:
    told = PropertyValue()
    told.Name, told.Value = name, value
    return told


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
