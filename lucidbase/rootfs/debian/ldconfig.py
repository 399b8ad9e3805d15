#!/usr/bin/python3.11 -ISB
# Lists the shared libraries that the loader finds by their names, as "ldconfig -p"
# does: ctypes.util.find_library asks for that. It changes nothing.
import os

found = []
for triplet, machine in ("x86_64-linux-gnu", "x86-64"), ("aarch64-linux-gnu", "AArch64"):
    place = f"/lib/{triplet}"
    if os.path.isdir(place):
        names = {name for name in os.listdir(place) if name.startswith("lib") and ".so" in name}
        # Of libz.so.1 and the file libz.so.1.2.13 that it leads to, programs ask for the first.
        behind = {os.readlink(f"{place}/{name}") for name in names if os.path.islink(f"{place}/{name}")}
        found += [f"\t{name} (libc6,{machine}) => {place}/{name}" for name in names - behind]

print(f"{len(found)} libs found in cache `/etc/ld.so.cache'")
print("\n".join(sorted(found, reverse=True)))
