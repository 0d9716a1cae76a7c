"""Estimators. Knows no trial: arrays in, frozen value out."""
