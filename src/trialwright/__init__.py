"""Trialwright: a randomised oncology trial, run and analysed from one definition."""

__version__ = "0.1.0"
