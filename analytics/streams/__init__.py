"""Demand signals: how they look in a stream, how a batch of them adds up, what is a trend. Free of Django."""
