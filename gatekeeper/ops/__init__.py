"""Starts, keeps alive and stops the processes of Gatekeeper, always by command; imports no worker and no page."""
