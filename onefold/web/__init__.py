"""The read API, and what it shares with the console: who asks, what they may see, and how problems are told."""
