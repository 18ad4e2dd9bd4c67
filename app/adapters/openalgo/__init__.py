"""OpenAlgo on the wire: REST client, feed, and the one parser of its fields."""
