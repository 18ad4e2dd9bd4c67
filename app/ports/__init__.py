"""What the services need of the world, as Protocols. Adapters provide it; bootstrap joins the two."""
