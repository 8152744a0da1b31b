"""Webhooks: the rows of the activity log, sent as signed messages to addresses that members named."""
