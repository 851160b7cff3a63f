"""The comparison of responses with another commit: `make compare-requests REV=`.

A random walk sends the same requests to two commits, each in a separate process with its
own database, clock and ids. The status, headers and body of both responses must be equal
after ids, keys, codes, cursors and entity tags are renamed by their first appearance.
"""
