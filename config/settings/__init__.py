"""Settings by environment: development (default), production, testing. Read through `django.conf` only."""
