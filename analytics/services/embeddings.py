"""Which model of meaning is in force, and fitting a new one on what there is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from ..models import EmbeddingModel, Entity, EntityTotal
from ..models.entity import DIMENSIONS
from ..search.embedding import Embedder, HashedSvd

KIND = "svd"
LOOK_EVERY_S = 30.0
MOST_FITTED = 50_000  # entities: directions of a language are found in fewer
GROWTH = 1.5  # times the entities it was fitted on: then it is fitted anew
CHUNK = 500
INDEX = "entity_meaning"
INDEX_FROM = 10_000  # vectors; below it all are compared, which is exact and as fast
KEPT = 2  # models: the current one and the one before, which other processes may still use for a moment

_lock = threading.Lock()
_held: tuple[float, Embedder | None] = (0.0, None)

PLACE = """
UPDATE analytics_entity e SET embedding = v.embedding::halfvec, model_version = %s
FROM unnest(%s::uuid[], %s::text[]) AS v (id, embedding) WHERE e.id = v.id
"""


def text_of(name: str, text: str) -> str:
    """What of an entity is placed: the name counts twice, since texts are long."""
    return f"{name}\n{name}\n{text}"


def current_embedder() -> Embedder | None:
    """None: no model is fitted yet. Kept by the process; another one is noticed within half a minute."""
    global _held  # noqa: PLW0603 - the state of the process
    looked_at, held = _held
    if looked_at and time.monotonic() - looked_at < LOOK_EVERY_S:
        return held
    with _lock:
        found = _provided() or _stored(held)
        _held = (time.monotonic(), found)
    return found


def forget() -> None:
    """Look at once: the model has changed."""
    global _held  # noqa: PLW0603 - the state of the process
    _held = (0.0, None)


def _provided() -> Embedder | None:
    """A sentence model that the site brings along: "package.module:factory", called without arguments."""
    path = str(settings.EMBEDDING_MODEL)
    if path == KIND:
        return None
    module, _, name = path.partition(":")
    return cast("Embedder", _made(module, name))


_providers: dict[tuple[str, str], Any] = {}


def _made(module: str, name: str) -> Any:
    if (module, name) not in _providers:
        _providers[module, name] = getattr(import_module(module), name)()
    return _providers[module, name]


def _stored(held: Embedder | None) -> Embedder | None:
    version = EmbeddingModel.objects.filter(is_current=True).values_list("version", flat=True).first()
    if version is None:
        return None
    if held is not None and held.version == version:
        return held
    row = EmbeddingModel.objects.get(pk=version)
    return HashedSvd.from_bytes(bytes(row.parameters), row.version)


def is_due() -> bool:
    """Is there no model, or has the corpus grown by half since it was fitted?"""
    if settings.EMBEDDING_MODEL != KIND:
        return False
    fitted = EmbeddingModel.objects.filter(is_current=True).values_list("fitted_on", flat=True).first()
    count = EntityTotal.objects.aggregate(all=Sum("entities"))["all"] or 0
    return count > 2 and (fitted is None or count >= GROWTH * fitted)


def fit_embedding(*, report: Callable[[int, int, str], None] | None = None) -> str:
    """Fit a model on the shared entities and place all of them by it; its version, "" where there is too little.

    On shared entities alone where there are enough: what a model has learnt shows in everybody's results.
    """
    from ..search.fitting import fit

    texts = _texts()
    version = f"{KIND}-{timezone.now():%Y%m%d%H%M%S.%f}"
    model = fit(texts, version=version, dimensions=DIMENSIONS)
    if model is None:
        return ""
    with transaction.atomic():
        EmbeddingModel.objects.select_for_update().filter(is_current=True).update(is_current=False)
        EmbeddingModel.objects.create(
            version=version, kind=KIND, parameters=model.to_bytes(), fitted_on=Entity.objects.count(), is_current=True
        )
    kept = EmbeddingModel.objects.order_by("-fitted_at").values_list("pk", flat=True)[:KEPT]
    EmbeddingModel.objects.exclude(pk__in=list(kept)).delete()
    forget()
    embed_missing(report=report)
    return version


def _texts() -> Iterator[str]:
    rows = Entity.objects.filter(organisation=None)
    if rows.count() < 1000:
        rows = Entity.objects.all()
    chosen = rows.order_by("id")[:MOST_FITTED]  # ids are random: so is the choice
    for name, text in chosen.values_list("name", "text").iterator(CHUNK):
        yield text_of(name, text)


def embed_missing(*, report: Callable[[int, int, str], None] | None = None) -> int:
    """Place what is not placed by the model in force; how many. Goes on where it was stopped."""
    embedder = current_embedder()
    if embedder is None:
        return 0
    missing = Entity.objects.filter(~Q(model_version=embedder.version))
    total, done = missing.count(), 0
    _drop_index_before(total)
    while rows := list(missing.order_by("id").values_list("id", "name", "text")[:CHUNK]):
        vectors = embedder.encode([text_of(name, text) for _, name, text in rows])
        placed = ["[" + ",".join(f"{x:.5g}" for x in row.tolist()) + "]" if row.any() else None for row in vectors]
        with connection.cursor() as cursor:
            cursor.execute(PLACE, [embedder.version, [row[0] for row in rows], placed])
        done += len(rows)
        if report:
            report(done, max(total, done), f"Placed {done:,} of {total:,} by meaning")
    keep_index()
    return done


def _drop_index_before(count: int) -> None:
    """Building it anew costs less than many rows one by one."""
    if count >= INDEX_FROM and has_index():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")


def keep_index() -> None:
    """An index over meanings from 10,000 on. Writers wait while it is built (100,000: a minute); readers do not."""
    if has_index() or Entity.objects.filter(embedding__isnull=False).count() < INDEX_FROM:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS {INDEX} ON analytics_entity USING hnsw (embedding halfvec_cosine_ops)"
        )
        cursor.execute("ANALYZE analytics_entity")


def has_index() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [INDEX])
        return bool(cursor.fetchone()[0])
