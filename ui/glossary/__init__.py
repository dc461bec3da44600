"""The glossary: terms, explained where they come up, with small live examples."""
