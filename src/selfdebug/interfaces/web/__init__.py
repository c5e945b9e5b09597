"""The playground for teaching: one local page where students find bugs, with hints that add up."""
