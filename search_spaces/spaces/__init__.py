"""Search spaces: named finite choices that become networks."""
