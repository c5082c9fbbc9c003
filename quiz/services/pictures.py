"""Pictures of questions: kept once for each content, shown to whoever may see a bank that has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import IO
from uuid import uuid4

from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User

from ..exceptions import PictureMissing
from ..exchange import pictures as exchanged
from ..exchange.item import Item
from ..models import Bank, Picture
from ..models.picture import path_of

MOST_BYTES = 64 * 1024 * 1024  # of one exported file: what is read back at most
MOST_REMARKS = 100


def keep(*, bank: Bank, pictures: Iterable[exchanged.Picture]) -> int:
    """Keep these pictures for the bank; how many it did not have.

    Files come first, outside any transaction of its own: one that nobody names is only there. Several at once keep the
    same file, and one row by the constraint.
    """
    wanted = {each.digest: each for each in pictures if each.look is not None}
    known = set(Picture.objects.filter(bank=bank, digest__in=list(wanted)).values_list("digest", flat=True))
    return _keep(bank, [(each, "") for digest, each in wanted.items() if digest not in known])


def keep_attached(*, bank: Bank, found: Mapping[str, exchanged.Picture]) -> int:
    """As `keep`, of attachments in Airtable by their ids, which the bank does not have yet (`held`)."""
    return _keep(bank, [(each, source_id) for source_id, each in found.items()])


def held(*, bank: Bank, source_ids: Sequence[str]) -> dict[str, str]:
    """Digests of the attachments that the bank has, by their ids."""
    rows = Picture.objects.filter(bank=bank, source_id__in=source_ids).exclude(source_id="")
    return dict(rows.values_list("source_id", "digest"))


def adopt(*, bank: Bank, item: Item, user: User | AnonymousUser) -> int:
    """Have the bank own what the item names and only another bank has, which the user may see; how many."""
    named = set(exchanged.digests_in(item))
    if not named:
        return 0
    named -= set(Picture.objects.filter(bank=bank, digest__in=named).values_list("digest", flat=True))
    found = {each.digest: each for each in Picture.objects.visible_to(user).filter(digest__in=named)}
    for each in found.values():
        each.pk, each.bank, each.source_id, each._state.adding = uuid4(), bank, "", True
    with transaction.atomic():
        Picture.objects.bulk_create(found.values(), ignore_conflicts=True)
    return len(found)


def visible_picture(*, digest: str, user: User | AnonymousUser) -> Picture:
    """Raises PictureMissing: there is none, or it is not for this person."""
    found = Picture.objects.visible_to(user).filter(digest=digest).first()
    if found is None:
        raise PictureMissing("There is no such picture.")
    return found


def open_picture(picture: Picture) -> IO[bytes]:
    """Raises PictureMissing where the storage has lost it."""
    try:
        return default_storage.open(picture.path, "rb")
    except OSError as error:
        raise PictureMissing("The picture is no longer in the storage.") from error


def attached(*, bank: Bank, items: Sequence[Item]) -> list[Item]:
    """The items with the pictures that their texts name, each read once; without those lost, and past MOST_BYTES."""
    named = {digest for item in items for digest in exchanged.digests_in(item)}
    if not named:
        return list(items)
    held: dict[str, exchanged.Picture] = {}
    size = 0
    for row in Picture.objects.filter(bank=bank, digest__in=named).order_by("digest").distinct("digest"):
        size += row.size
        if size <= MOST_BYTES and (found := _content(row)) is not None:
            held[row.digest] = found
    return [
        replace(item, pictures=tuple(held[digest] for digest in sorted(exchanged.digests_in(item)) if digest in held))
        for item in items
    ]


def remarks_of(items: Iterable[tuple[str, Item]]) -> list[str]:
    """Which pictures were not taken, in words: at most MOST_REMARKS."""
    found: list[str] = []
    for external_id, item in items:
        names = [tag.removeprefix(exchanged.FIGURE) for tag in item.tags if tag.startswith(exchanged.FIGURE)]
        found += [f"{external_id or item.stem[:40]}: the picture {name[:80]} was not taken." for name in names]
        if len(found) > MOST_REMARKS:
            return [*found[:MOST_REMARKS], "There are more of these."]
    if found:
        limit = exchanged.LARGEST // 1024 // 1024
        found.append(f"Pictures are taken with the file if they are PNG, JPEG, GIF or WebP of at most {limit} MB.")
    return found


def _keep(bank: Bank, missing: Sequence[tuple[exchanged.Picture, str]]) -> int:
    for picture, _ in missing:
        _put(picture)
    if missing:
        with transaction.atomic():
            rows = [_row(bank, picture, source_id) for picture, source_id in missing]
            Picture.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(missing)


def _put(picture: exchanged.Picture) -> None:
    path = path_of(picture.digest, picture.media_type)
    if default_storage.exists(path):
        return
    saved = default_storage.save(path, ContentFile(picture.content))
    if saved != path:  # somebody else was quicker, and has stored the same
        default_storage.delete(saved)


def _row(bank: Bank, picture: exchanged.Picture, source_id: str) -> Picture:
    look = picture.look
    assert look is not None  # others are not kept
    return Picture(
        bank=bank,
        digest=picture.digest,
        media_type=look.media_type,
        name=picture.name[-200:],
        source_id=source_id,
        size=len(picture.content),
        width=look.width,
        height=look.height,
    )


def _content(row: Picture) -> exchanged.Picture | None:
    try:
        with open_picture(row) as stored:
            return exchanged.Picture(stored.read(), row.name)
    except PictureMissing:
        return None
