"""The activity log: everything that happens is a row, and every effect follows the rows with a cursor."""
