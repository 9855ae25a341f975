"""What `make bench` measures: one module ``bench_….py`` per comparison, with a `measure`."""
