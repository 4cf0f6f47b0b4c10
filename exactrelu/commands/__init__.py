"""The commands, one file each: what they take, whom they call, what they print, their exit code."""
