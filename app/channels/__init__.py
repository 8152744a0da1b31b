"""Sections to be sent or said as they are: what each costs in texts, characters, words and seconds."""
