"""Revisions: immutable texts, and the pure functions that store, compare, merge and explain them."""
