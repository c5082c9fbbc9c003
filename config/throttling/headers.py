"""What answers say of limits, for those who answer thousands of times a second: as bytes, made of what never changes
and two numbers a window. The same as `config.api.throttles.headers_of` says in texts."""

from __future__ import annotations

from collections.abc import Sequence

from .windows import Window, left_of

Headers = list[tuple[bytes, bytes]]


class LimitHeaders:
    """Of a caller's windows; none: no headers."""

    def __init__(self, windows: Sequence[Window]) -> None:
        names = [f'"{each.name}"' for each in windows]
        self._figures = [(each.limit.amount, each.seconds * 1000) for each in windows]
        self._parts = [f"{name};r=%d;t=%d".encode() for name in names]
        policy = (f"{name};q={each.limit.amount};w={each.seconds}" for name, each in zip(names, windows, strict=True))
        self._policy = (b"ratelimit-policy", ", ".join(policy).encode())
        self._limits = {amount: (b"ratelimit-limit", b"%d" % amount) for amount, _ in self._figures}

    def of_counted(self, answer: Sequence[int]) -> Headers:
        """Of what ACQUIRE answered for a call that was counted: refused ones say more, and are rare."""
        figures = self._figures
        if not figures:
            return []
        if len(figures) == 1:
            amount, expiry_ms = figures[0]
            remaining, reset_s = left_of(amount, expiry_ms, *answer[1:5])
            stated = self._parts[0] % (remaining, reset_s)
        else:
            left = [
                left_of(amount, expiry_ms, *answer[1 + 4 * at : 5 + 4 * at])
                for at, (amount, expiry_ms) in enumerate(figures)
            ]
            stated = b", ".join(part % numbers for part, numbers in zip(self._parts, left, strict=True))
            tightest = min(range(len(left)), key=lambda at: (left[at][0], figures[at][0]))
            amount, (remaining, reset_s) = figures[tightest][0], left[tightest]
        return [
            (b"ratelimit", stated),
            self._policy,
            self._limits[amount],
            (b"ratelimit-remaining", b"%d" % remaining),
            (b"ratelimit-reset", b"%d" % reset_s),
        ]
