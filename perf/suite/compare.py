def add_arguments(c):
    pass
