"""The command line: one file per noun, each reaching the gateway through `bootstrap`.

Whatever is heavy is imported inside the commands, so that `netvalve --help` is quick.
"""
