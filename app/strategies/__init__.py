"""Strategies: builder, preview, send."""
