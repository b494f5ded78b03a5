"""Tasks of others beside the pipeline's in one dodo.py: stock doit is the judge."""
