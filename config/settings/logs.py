"""Logging: structlog over the standard library. Lines for people on a console, JSON on a server."""

from __future__ import annotations

import os
from typing import Any, Literal

import structlog

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_for(style: Literal["console", "json", "quiet"]) -> dict[str, Any]:
    """The LOGGING setting. "quiet" keeps warnings and errors only."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=os.environ.get("NO_COLOR") is None and style == "console")
    )
    level = "WARNING" if style == "quiet" else os.environ.get("LOG_LEVEL", "INFO")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": renderer,
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            # Two lines a request: what a server's log is for, and noise beside a person's terminal.
            "django_structlog": {"level": level if style == "json" else "WARNING"},
            "rq": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
        },
    }
