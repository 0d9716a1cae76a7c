"""Compiled forms of ``simulate.cohort`` and ``simulate.looks``: the same bits, imported only when used."""
