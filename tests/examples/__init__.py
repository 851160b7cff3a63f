"""Tests to read first and to copy, with stories of whole cases; README.md explains them."""
