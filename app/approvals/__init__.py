"""Which text of a page is approved, now and at any time before."""
