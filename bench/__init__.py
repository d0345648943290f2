"""Speed, drills and fuzz: what takes longer than a test may."""
