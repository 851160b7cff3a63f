"""An office's own figures, and released figures that identify nobody (ADR 72, ADR 73).

An office's own figures (`own_figures`) are computed at each request, from its feed and
its deadlines. The rules that count people, and that choose the released numbers, are pure
(`counting`, `releases`). The rules that decide which offices may see a case are not here.
"""
