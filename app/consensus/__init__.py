"""How a text gets approved: candidates, votes, the rule, promotion, carry-forward."""
