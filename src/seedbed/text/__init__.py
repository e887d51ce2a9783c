"""Text as the rest of Seedbed compares it: normal form, tokens, similarity, hashes, overlap."""
