"""The command line: arguments in, use-cases called, results printed. Modules that take long to load are imported in the commands."""
