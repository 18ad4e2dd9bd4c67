"""The commands behind the Makefile: set-up, running, checking. Standard library only."""
