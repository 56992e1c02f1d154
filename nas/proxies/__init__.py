"""Which cheap training ranks networks as a longer one does: the study behind `python -m nas.proxy`."""
