"""Controls: networks that a search did not find, brought to its target, to be judged beside what it found."""
