"""Flags, help, messages, units and files of all commands. Nothing here depends on networks."""
