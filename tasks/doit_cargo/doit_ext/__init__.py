"""What plugs into doit: run command, runner, state, file checker, reporter, commands."""
