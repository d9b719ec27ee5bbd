"""The steps of the pipeline: `step(context, plain arguments) -> Report`, called alike by CLI, DAGs and tests."""
