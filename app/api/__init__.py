"""JSON for scripts and for the pages' own modules."""
