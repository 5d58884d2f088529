"""The demonstration: an invented newsroom, its web site and a mailbox, all on this computer."""
