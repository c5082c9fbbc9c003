"""Folders of the older file store: `<store>/<project>/` with project.json, positions.json, audit_results.json, raw/ and
artifacts/. Read and written without following links, and without trust in names. Free of Django."""
