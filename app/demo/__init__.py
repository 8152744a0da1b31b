"""An invented campaign that fills a workshop, so that one can look around before one has a text of one's own."""
