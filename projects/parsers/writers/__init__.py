"""Writers of bill files: our own bills in formats that estimating programs open."""
