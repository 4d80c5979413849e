"""What the Macs must send: configurations for their collectors, made from the endpoint rules."""
