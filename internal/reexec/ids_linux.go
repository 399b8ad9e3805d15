package reexec

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// NeedsUserns ends the errors of a machine that is not set up for users.
const NeedsUserns = "allow user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu), or run as root"

// minSubordinate is enough for the highest ids in use: nobody and nogroup are
// 65534.
const minSubordinate = 65535

// subordinateIDs returns how to map this user to root of a user namespace, and
// everybody else in there to the user's subordinate ids (see subuid(5)).
func subordinateIDs() ([]IDMap, error) {
	maps := []IDMap{{tool: "newuidmap", id: os.Geteuid()}, {tool: "newgidmap", id: os.Getegid()}}
	files := []string{"/etc/subuid", "/etc/subgid"}
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	for i, file := range files {
		if _, err := exec.LookPath(maps[i].tool); err != nil {
			return nil, fmt.Errorf("%s not found on PATH: without root it is needed: install it (apt-get install uidmap), or run as root", maps[i].tool)
		}
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("looking for subordinate ids: %w", err)
		}
		var ok bool
		maps[i].first, maps[i].count, ok = findSubordinate(string(text), name, os.Geteuid())
		if !ok {
			return nil, fmt.Errorf("%s has no range of %d ids for this user: without root it is needed: add one (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s), or run as root",
				file, minSubordinate, cmp.Or(name, strconv.Itoa(os.Geteuid())))
		}
	}
	return maps, nil
}

// findSubordinate finds a user's first range that is large enough. A line is
// "NAME-OR-ID:FIRST:COUNT".
func findSubordinate(text, name string, uid int) (first, count int, ok bool) {
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 3 || (fields[0] != strconv.Itoa(uid) && (name == "" || fields[0] != name)) {
			continue
		}
		first, err := strconv.Atoi(fields[1])
		if err != nil {
			continue
		}
		count, err := strconv.Atoi(fields[2])
		if err == nil && count >= minSubordinate {
			return first, count, true
		}
	}
	return 0, 0, false
}

// IDMaps returns the maps of a user namespace of this user's, one for users and one
// for groups; root needs none.
func IDMaps() ([]IDMap, error) {
	if os.Geteuid() != 0 {
		return subordinateIDs()
	}
	if !hasCapability(unix.CAP_SYS_ADMIN) {
		return nil, errors.New("root has no CAP_SYS_ADMIN here: run the container as a privileged one")
	}
	return nil, nil
}

// hasCapability reports whether the process may use a capability; it returns true where
// that cannot be found out.
func hasCapability(bit int) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(status), "\nCapEff:")
	line, _, _ := strings.Cut(rest, "\n")
	caps, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	return err != nil || caps&(1<<bit) != 0
}

// IDMap is what newuidmap or newgidmap is called with.
type IDMap struct {
	tool         string
	id           int // becomes 0
	first, count int // become 1 and up
}

// Apply maps the ids of a process in a user namespace of its own.
func (m IDMap) Apply(ctx context.Context, pid int) error {
	args := []string{strconv.Itoa(pid), "0", strconv.Itoa(m.id), "1", "1", strconv.Itoa(m.first), strconv.Itoa(m.count)}
	out, err := exec.CommandContext(ctx, m.tool, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mapping ids by %s: %w: %s: %s", m.tool, err, bytes.TrimSpace(out), NeedsUserns)
	}
	return nil
}
