// Panel: inspect.
