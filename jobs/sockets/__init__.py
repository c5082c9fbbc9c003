"""Live events in the browser: one consumer at /ws/, one hub per web process."""
