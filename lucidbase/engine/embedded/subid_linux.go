package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
)

// minSubordinate is enough for the highest ids in use: nobody and nogroup are
// 65534.
const minSubordinate = 65535

// subordinateIDs gives how to map this user to root of a user namespace, and
// everybody else in there to the user's subordinate ids (see subuid(5)).
func subordinateIDs() ([]idMap, error) {
	maps := []idMap{{tool: "newuidmap", id: os.Geteuid()}, {tool: "newgidmap", id: os.Getegid()}}
	files := []string{"/etc/subuid", "/etc/subgid"}
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	for i, file := range files {
		if _, err := exec.LookPath(maps[i].tool); err != nil {
			return nil, fmt.Errorf("%s not found on PATH: without root it is needed: install it (apt-get install uidmap), run as root, or %s", maps[i].tool, otherWay)
		}
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("looking for subordinate ids: %w", err)
		}
		var ok bool
		maps[i].first, maps[i].count, ok = findSubordinate(string(text), name, os.Geteuid())
		if !ok {
			return nil, fmt.Errorf("%s has no range of %d ids for this user: without root it is needed: add one (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s), run as root, or %s",
				file, minSubordinate, cmp.Or(name, strconv.Itoa(os.Geteuid())), otherWay)
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
