"""The desk: dashboard, activity."""
