"""The outside world, behind the ports: OpenAlgo gateways, caches, clocks, keys."""
