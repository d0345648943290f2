"""Mail for somebody who sits at the terminal."""
