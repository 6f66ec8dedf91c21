"""Translating to and from the files of a case: evidence bundles and what stands in them; no database."""
