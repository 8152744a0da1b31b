"""Search over approved texts, shared drafts and open forks, following the log."""
