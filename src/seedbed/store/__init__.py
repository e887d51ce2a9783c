"""What is on disk: the reply log, the run folder, its rounds and their shards."""
