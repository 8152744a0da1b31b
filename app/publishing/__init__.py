"""The approved text as a contract: its representations, and the fast way to them."""
