"""Demo data: how the shapes of `sample.make` become values, records and histories. `engine.exchange.demo` runs it."""
