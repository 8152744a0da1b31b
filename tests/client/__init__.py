"""A package, so that its server ends with its last test: one that idles takes a twentieth of a core."""
