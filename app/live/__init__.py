"""The live stream: the rows of the activity log, told to everybody who listens as they are committed."""
