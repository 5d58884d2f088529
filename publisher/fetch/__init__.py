"""Reading the web of others, within limits and without being led to private places."""
