"""Numbers that decide how fast work is taken and faults are noticed. `JOBS_LEASE_S` of the settings overrides the
lease."""

from __future__ import annotations

from django.conf import settings

# A worker that has not been heard of for this long has lost its job. Long against clock skew between hosts and a paused
# process; short enough that a person waits for it. Heartbeats go out three times a lease.
LEASE_S: float = getattr(settings, "JOBS_LEASE_S", 30.0)

# Each worker and scheduler says this often, in its row, that it lives.
PRESENCE_EVERY_S = 5.0

# A server's Retry-After is honoured up to this: one that asks for a day must not keep a job from people for a day.
RETRY_AFTER_S = 3600.0

# At most four progress events a second and job: what an eye can follow; one write and one round trip each.
REPORT_EVERY_S = 0.25

# After a failed call Redis counts as down for this long and is not asked: a dead host costs its timeout once, not per
# call.
REDIS_PAUSE_S = 2.0
REDIS_CONNECT_TIMEOUT_S = 0.5
REDIS_TIMEOUT_S = 2.0

# An idle worker looks up from its wait for doorbells this often; RQ's own 420 s is how long it would sit before a Redis
# whose host has vanished without a word.
DOORBELL_WAIT_S = 60

# One doorbell makes a worker take jobs of its queue for this long before it looks at its other queues again.
DRAIN_S = 1.0

# Jobs of kinds that take less than this here are claimed many at a time: as many as take a quarter of a second, so that
# nobody else's work waits behind them for longer.
BRIEF_S = 0.020
CLAIMED_AT_MOST = 64
CLAIMED_S = 0.25
# Completions are written together: when so many are held, or the oldest is so old.
KEPT_AT_MOST = 64
KEPT_S = 0.025
# A job that takes longer than this is not brief after all: that it runs is written and said, and so are the completions
# before it. A little later what was claimed along with it is given back to the queue.
SAID_AFTER_S = 0.2
GIVEN_BACK_AFTER_S = 1.0

# Events kept for replay, per channel.
EVENTS_KEPT = 1000
EVENTS_KEPT_S = 3600

# Sockets. A page joins a handful of channels; whoever sends more than this is broken or hostile.
SOCKET_CHANNELS = 50
SOCKET_MESSAGE_BYTES = 4096
SOCKET_MESSAGES_PER_S = 20.0
SOCKET_MESSAGES_BURST = 60.0
SOCKET_REFUSED_JOINS = 20
SOCKET_SIGN_IN_S = 10.0
# Frames that wait for a slow reader before it is cut off; it can come back and catch up from the stream.
SOCKET_FRAMES_WAITING = 512
SOCKET_READS_AT_ONCE = 32
# A subscription on which nothing comes for this long is asked whether it is still one; twice as long, and it is not.
SOCKET_REDIS_SILENT_S = 4.0
SOCKET_PING_EVERY_S = 30.0
SOCKET_PONG_WITHIN_S = 10.0
# Withdrawals arrive at once through Redis; this is how late they are when it could not be reached.
SOCKET_USERS_CHECKED_EVERY_S = 60.0
