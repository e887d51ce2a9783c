"""Prompt templates, the values of their slots, and the real rows that they show."""
