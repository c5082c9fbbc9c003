"""What Prometheus asks for at /metrics, and the ledger of slow things behind `manage.py slowest`."""
