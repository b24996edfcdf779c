"""Figures about models and codes: arrays and models in, numbers out."""
