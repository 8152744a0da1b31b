"""Message Workshop: a wiki for a campaign's words."""
