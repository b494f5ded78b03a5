"""The cargo command as a value: argv, environment, flags, and what the user configured."""
