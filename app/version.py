"""The version of this code; a desk that was led by a newer one is not led by an older one again."""

VERSION = (0, 1, 0)
