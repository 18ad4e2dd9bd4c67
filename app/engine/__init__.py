"""Threads and who owns them: supervisor, lanes, lease, bus."""
