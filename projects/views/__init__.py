"""HTML pages of projects, by topic. Reads here, writes in services."""
