"""What the application does, as functions that take an ``App``. CLI, web and scheduler call these and add nothing."""
