"""A file read by a process of its own, so that reading it and storing it each have a processor.

`python -m tenders.services.apart` is that process. It is free of Django, opens the file by the descriptor that it
inherits, and writes blocks to its standard output: as the pipe holds one or two of them, it waits for whoever stores
them. On its standard input it is told, by a letter, whether to make tenders of what it reads. It ends when nobody reads
its output any more, however that came to be.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import marshal
import os
import select
import signal
import stat
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from accounts.exceptions import PlumblineError

from ..readers import Format, read
from ..readers.reading import NotReadable
from .blocks import Block, blocks_of, unpacked

SMALLEST = 2 * 1024 * 1024  # bytes; what is smaller has been read before a process has started
PIPE = 1024 * 1024
HEADER = 8  # bytes of a message's length
MAPS, LEAVES = b"m", b"l"
ROOT = Path(__file__).resolve().parents[2]
FORMAT, NOT_READABLE, BLOCK, END, FAILED = "format", "not readable", "block", "end", "failed"


class ReadingStopped(PlumblineError):
    """The process that read the file has ended before the file did."""

    status = 500
    code = "reading_stopped"


class Apart:
    """The reading of one file by another process. Raises NotReadable, ReadingStopped; OSError when none can be started.
    A context manager: the process ends with it."""

    def __init__(self, file: int, at: int, *, name: str, mapping: Mapping[str, str], size: int, country: str) -> None:
        asked = {"file": file, "at": at, "name": name, "mapping": dict(mapping), "size": size, "country": country}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tenders.services.apart", json.dumps(asked)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(file,),
            pipesize=PIPE,
        )
        self._maps = True
        try:
            kind, content = self._next()
            if kind == NOT_READABLE:
                raise NotReadable(content)
        except BaseException:
            self.close()
            raise
        self.format = Format(content)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def blocks(self) -> Iterator[Block]:
        while True:
            kind, content = self._next()
            if kind == END:
                return
            yield unpacked(content)

    def map_tenders(self, wanted: bool) -> None:
        """From one of the next blocks on."""
        if wanted != self._maps:
            self._maps = wanted
            with contextlib.suppress(BrokenPipeError):  # it has ended: the next block says how
                _pipe(self._process.stdin).write(MAPS if wanted else LEAVES)
                _pipe(self._process.stdin).flush()

    def close(self) -> None:
        self._process.kill()  # nothing is lost: it has no state
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()
        self._process.wait()

    def _next(self) -> tuple[str, Any]:
        pipe = _pipe(self._process.stdout)
        size = int.from_bytes(pipe.read(HEADER), "little")
        text = pipe.read(size)
        if not size or len(text) < size:
            raise ReadingStopped(self._ended())
        kind, content = marshal.loads(text)  # noqa: S302 - written by a process of our own, a moment ago
        if kind == FAILED:
            raise ReadingStopped(f"The file could not be read to its end: {content}")
        return kind, content

    def _ended(self) -> str:
        code = self._process.wait()
        if code < 0:
            hint = " It probably ran out of memory." if -code == signal.SIGKILL else ""
            return f"The process that read the file was ended by signal {-code} ({signal.strsignal(-code)}).{hint}"
        return f"The process that read the file ended by itself with code {code}."


def descriptor_of(stream: IO[bytes]) -> tuple[int, int] | None:
    """(descriptor, position) of a large file on this machine, which another process can go on reading; else None."""
    found: Any = stream
    while not isinstance(found, io.IOBase) and hasattr(found, "file"):  # wrapped by Django or tempfile
        found = found.file
    if not isinstance(found, io.BufferedReader | io.BufferedRandom) or not isinstance(found.raw, io.FileIO):
        return None
    told, at = os.fstat(found.fileno()), found.tell()
    return (found.fileno(), at) if stat.S_ISREG(told.st_mode) and told.st_size - at >= SMALLEST else None


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # Popen was asked for it
    return pipe


def main(asked: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; whoever asked decides
    gc.set_threshold(100_000)  # JSON has no cycles; looking for them takes a fifth of the time
    try:
        with os.fdopen(asked["file"], "rb") as stream:
            stream.seek(asked["at"])
            _tell_all(stream, asked)
    except BrokenPipeError:
        os._exit(0)  # nobody wants it any more; not even a last flush
    except NotReadable as error:
        _tell(NOT_READABLE, str(error))
    except Exception as error:
        traceback.print_exc()
        _tell(FAILED, f"{type(error).__name__}: {error}")


def _tell_all(stream: IO[bytes], asked: dict[str, Any]) -> None:
    reading = read(stream, name=asked["name"], mapping=asked["mapping"])
    _tell(FORMAT, str(reading.format))
    wishes = _Wishes()
    for block in blocks_of(reading, size=asked["size"], country=asked["country"], maps=wishes):
        _tell(BLOCK, block.packed())
    _tell(END, None)


def _tell(kind: str, content: Any) -> None:
    text = marshal.dumps((kind, content))
    sys.stdout.buffer.write(len(text).to_bytes(HEADER, "little"))
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


class _Wishes:
    """Whether tenders are to be made, as was said last."""

    def __init__(self) -> None:
        self._maps = True

    def __call__(self) -> bool:
        while select.select([0], [], [], 0)[0]:
            told = os.read(0, 100)
            if not told:
                break
            self._maps = told[-1:] == MAPS
        return self._maps


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
