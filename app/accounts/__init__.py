"""People: users, sessions, API tokens, invites, chapters and who belongs to which."""
