"""Networks made larger or smaller, and matched to a cost."""
