"""Tables: values by their keys."""
