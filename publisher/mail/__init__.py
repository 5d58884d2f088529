"""The message: an edition's items rendered per variant, framed as RFC 5322 bytes, filled per person."""
