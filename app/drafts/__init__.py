"""Drafts: the shared one everybody edits, and the forks that writers open."""
