"""A bank whose keeper works in Airtable: asking its API, telling what changed in its fields, reading its records."""
