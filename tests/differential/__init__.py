"""The comparison of answers with another commit: `make compare-requests REV=`.

A random walk sends the same requests to two commits, each in a process of its own with its
own database, clock and ids. Status, headers and body of both answers must be equal after
ids, keys, codes, cursors and entity tags are renamed by their first appearance.
"""
