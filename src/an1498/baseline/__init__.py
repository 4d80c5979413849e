"""What is normal on a site, learned from its logs: proposals of exact values for the pack's lists, each with evidence and an expiry."""
