"""Reading run folders, finished or not, and the published figures they are set beside."""
