"""The program as machine code for the processor at hand, made by LLVM when a cell is first run.

Nothing is imported here, so that one can ask ``native.host`` whether the engine can run at all.
"""
