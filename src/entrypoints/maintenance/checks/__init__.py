"""What `coatcheck doctor` looks at, by topic. Each check says in one sentence what to do."""
