"""What is learned: content vectors from titles' facts, neighbours from what people watched together, and their blend.

All models are plain arrays over one catalogue, built in the background and swapped at once. They are deterministic:
the same titles and the same watching give the same numbers.
"""
