"""What a notice says and how far it fits a firm: the engine that needs no model, free of Django."""

from __future__ import annotations

from .corpus import Corpus
from .rules import METHOD, analyse
from .schema import SCHEMA_VERSION, Assessment, checked
from .subject import Profile, Subject

__all__ = ["METHOD", "SCHEMA_VERSION", "Assessment", "Corpus", "Profile", "Subject", "analyse", "checked"]
