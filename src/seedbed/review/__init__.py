"""Review: what people say of records, and what a judge is worth beside them."""
