"""The demo's own content: a residential building and a sports hall that nobody built, with faults put in on purpose."""
