"""The documentation that is made from data: which pages and sections there are, and their text."""
