"""The command `python -m nas.proxy`: find out which cheap training ranks networks well."""
