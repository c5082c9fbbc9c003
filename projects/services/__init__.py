"""Every write and calculation of projects, by topic."""
