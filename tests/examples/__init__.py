"""Tests to read first and to copy, and stories of whole cases; README.md explains them."""
