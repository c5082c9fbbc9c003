"""How much is done to the system: a few minutes' worth in `make faults`, more and longer in `make soak`."""

from __future__ import annotations

import os
import random
import sys

SOAK = bool(os.environ.get("PLUMBLINE_SOAK"))

JOBS = 1000
KILLS = 60 if SOAK else 20
# How often a test that is over quickly is done again, each time with other numbers.
ROUNDS = 3 if SOAK else 1
# `make soak` runs with the lease of production. The short one lapses at times on a loaded machine while its worker
# still lives: then a job is tried again, which must be as correct.
LEASE_S = 30.0 if SOAK else 4.0
# Of one call of a model: shorter than its server's silence.
MODEL_TIMEOUT_S = 20.0 if SOAK else 3.0
# A wait fails only when nothing happens at all for so long.
PATIENCE_S = 600.0 if SOAK else 240.0
REDIS_AWAY_S = 5.0


def seeded(what: str) -> random.Random:
    """The same numbers again with PLUMBLINE_SEED, which is told with every failure."""
    seed = f"{os.environ.get('PLUMBLINE_SEED') or random.SystemRandom().randrange(10**6)}:{what}"
    sys.stderr.write(f"PLUMBLINE_SEED={seed.partition(':')[0]}\n")
    return random.Random(seed)
