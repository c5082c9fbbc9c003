"""Training calls as an engine: transcripts read, cleaned, measured, held against rules. Free of Django."""
