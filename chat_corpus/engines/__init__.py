"""Engines run shards in this process, in a pool of processes on this machine, or on the workers of a Dask cluster."""
