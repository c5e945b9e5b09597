"""How public data sets are stored and how they write their tests: what their loaders share."""
