"""What every screen and endpoint shares: sessions, errors, templates, limits and headers."""
