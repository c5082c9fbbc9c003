"""HTML pages of tenders, by topic. Reads here, writes in services."""
