"""How messages leave: SMTP by aiosmtplib."""
