"""What runs inside the sandbox, and nothing else of ours does: the readers of clear, hostile files.

Only the standard library, libarchive-c and puremagic are in reach here: this folder is bound into
the sandbox alone. It has no network, no key, no other item, and may do little more than read, write
and compute. Whatever it says is untrusted outside (worker/sandbox.py).
"""
