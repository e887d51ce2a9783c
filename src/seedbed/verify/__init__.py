"""What can be known without asking a model: whether two answers are the same, whether a sum is right."""
