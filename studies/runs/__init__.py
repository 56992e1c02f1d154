"""Run folders, and the life of a command that has one."""
