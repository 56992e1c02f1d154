"""CPU convolutions that are faster than those of torch."""
