"""Who does the shards: this process, or a pool of processes on this machine."""
