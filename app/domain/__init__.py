"""The rules of trading: pure functions and frozen dataclasses, no clock, no network, no framework."""
