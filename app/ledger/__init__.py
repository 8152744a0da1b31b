"""The public ledger: every decision about an approved text, as a log that anybody can check."""
