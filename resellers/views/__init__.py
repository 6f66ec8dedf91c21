"""The reseller manager's own pages (trust.md TH1, TH2)."""
