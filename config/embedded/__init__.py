"""PostgreSQL and Redis for a machine that has neither: started from wheels, shared by all of a project.

`client.attach()` is the door. Behind it one *services host* process (`host.py`) owns the servers:

    process ── shared lock on var/clients.lock ──┐
    process ── shared lock on var/clients.lock ──┤   host.py holds var/host.lock, owns both servers,
                                                 ├──▶ publishes var/services.json, and leaves when
    process ── shared lock on var/clients.lock ──┘   nobody holds clients.lock any more

Every lock is an flock: the kernel drops it however its holder dies, so nothing has to be cleaned up after a crash.
"""
