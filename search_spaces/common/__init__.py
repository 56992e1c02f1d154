"""What every command needs to talk with people and disks. Knows no network."""
