"""The web interface: pages and feeds over HTTP. Routes are thin; the use-cases decide."""
