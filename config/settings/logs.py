"""Logging: structlog over the standard library. Lines for people on a console, JSON on a server; secrets on neither."""

from __future__ import annotations

import os
from typing import Any, Literal

import structlog

from config.scrubbing import scrub_event

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
    level = "WARNING" if style == "quiet" else os.environ.get("LOG_LEVEL", "INFO")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": rendering(style),
                "foreign_pre_chain": [*SHARED, structlog.stdlib.ExtraAdder()],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # A 500 is told once, with its traceback, by django_structlog's "request_failed".
            "django.request": {"level": "CRITICAL"},
            # A line a request: what a server's log is for, and noise beside a person's terminal.
            "django_structlog": {"level": level if style == "json" else "ERROR"},
            "rq": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
            # httpx tells every address that it calls, with its query.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
        },
    }


def rendering(style: Literal["console", "json", "quiet"]) -> list[Any]:
    """The last steps of every line, ours and the libraries': tracebacks become text, so that they are scrubbed too."""
    if style == "json":
        renderer: Any = structlog.processors.JSONRenderer()
    else:
        colours = os.environ.get("NO_COLOR") is None and style == "console"
        renderer = structlog.dev.ConsoleRenderer(colors=colours)
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        scrub_event,
        renderer,
    ]
