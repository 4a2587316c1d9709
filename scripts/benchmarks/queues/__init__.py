"""SheetSync's queue and two of Python's, behind one interface."""
