"""Servers for the whole run, a site for each test, and an account of what happened when one fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .account import account_of
from .servers import Servers
from .site import Site


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    servers = Servers()
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def site(servers: Servers, tmp_path: Path) -> Iterator[Site]:
    """Empty tables, an empty Redis, no process yet."""
    servers.make_sure()
    servers.empty()
    site = Site(servers, tmp_path)
    yield site
    servers.make_sure()
    site.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and isinstance(site, Site):
        report.sections.append(("What happened to the site", account_of(site)))
    return report
