"""The stages of the pipeline, one file each: specs(ctx) gives their tasks."""
