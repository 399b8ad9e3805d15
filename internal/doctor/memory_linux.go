package doctor

import (
	"bufio"
	"bytes"
	"context"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// What a build of all images takes with its steps, and what has room for several at once.
const (
	leastMemory  = 300 << 20
	enoughMemory = 700 << 20
)

func (m *Machine) memory(context.Context) Finding {
	if !m.Embedded {
		return elsewhere
	}
	return memoryOf(os.DirFS("/"))
}

func memoryOf(root fs.FS) Finding {
	available, known := availableMemory(root)
	if !known {
		return note("unknown: /proc/meminfo says nothing", "see that there is enough")
	}
	found := units.BytesSize(float64(available)) + " available"
	switch {
	case available < leastMemory:
		return bad(found, "end something, or build elsewhere with --engine")
	case available < enoughMemory:
		return note(found, "build one image at a time")
	}
	return ok(found)
}

// availableMemory is what the machine has, or what is left of this container's share.
func availableMemory(root fs.FS) (bytes int64, known bool) {
	data, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0, false
	}
	available, known := meminfo(data, "MemAvailable:")
	for _, files := range [][2]string{
		{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"},
		{"sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes"},
	} {
		limit, limited := number(root, files[0])
		used, counted := number(root, files[1])
		if limited && counted {
			available = min(available, limit-used)
		}
	}
	return available, known
}

// meminfo returns a line's number, which is in kilobytes.
func meminfo(data []byte, name string) (int64, bool) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == name {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}

// number reads a file of one number; "max" is none.
func number(root fs.FS, name string) (int64, bool) {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}
