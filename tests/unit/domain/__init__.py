"""Tests of the pure rules: tables and properties, nothing to start."""
