"""The checks of `coatcheck doctor`, by topic. Each gives its fix in one sentence."""
