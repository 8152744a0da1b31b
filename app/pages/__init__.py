"""Pages: the lasting identity of a talking point, and how its text is read, addressed and shown."""
