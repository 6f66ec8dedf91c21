"""Settings: base reads the environment once; development, production and tests differ in a page each."""
