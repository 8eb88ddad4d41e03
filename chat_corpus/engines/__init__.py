"""Engines run shards: this process, a pool of processes on this machine, or the workers of a Dask cluster."""
