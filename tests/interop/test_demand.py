"""Spikes in hourly counts of tweets about AAPL (Numenta Anomaly Benchmark, MIT), against its labelled windows."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from analytics.streams.trends import spikes

FILES = os.environ.get("PLUMBLINE_REAL_FILES")
pytestmark = pytest.mark.skipif(not FILES, reason="PLUMBLINE_REAL_FILES names no folder of real files")


def test_at_least_three_of_four_labelled_windows_and_under_two_false_spikes_a_week() -> None:
    folder = Path(FILES or "") / "events"
    by_hour: dict[datetime, int] = {}
    with (folder / "nab_tweets_AAPL.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            hour = datetime.fromisoformat(row["timestamp"]).replace(minute=0, second=0)
            by_hour[hour] = by_hour.get(hour, 0) + int(float(row["value"]))
    labels = json.loads((folder / "nab_combined_windows.json").read_text())["realTweets/Twitter_volume_AAPL.csv"]
    windows = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in labels]
    hours = sorted(by_hour)

    found = [hours[spike.index] for spike in spikes([by_hour[hour] for hour in hours])]

    hit = [window for window in windows if any(window[0] <= at <= window[1] for at in found)]
    false = [at for at in found if not any(start <= at <= end for start, end in windows)]
    assert len(windows) == 4 and len(hit) >= 3
    assert len(false) / (len(hours) / 168) < 2
