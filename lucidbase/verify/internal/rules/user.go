package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var userRule = Rule{
	Name:    "user",
	Summary: "a numeric user and group, neither of them root",
	Why:     "root in the container is close to root on the host, and Kubernetes' runAsNonRoot takes a number alone",
	Fix:     `USER 65532:65532`,
	Check:   checkUser,
}

func checkUser(im *overlay.Image) []overlay.Hit {
	id := im.User()
	var hits []overlay.Hit
	for _, w := range id.Wrong {
		hits = append(hits, overlay.Hit{Path: "config:User", Layer: -1, Found: w})
	}
	if id.Uid == 0 || id.Named.Name == "" {
		return hits
	}
	for _, f := range im.Table("/etc/group", 4) {
		if gid, err := strconv.Atoi(f[2]); err != nil || gid != 0 {
			continue
		}
		for member := range strings.SplitSeq(f[3], ",") {
			if member == id.Named.Name {
				hits = append(hits, im.Stat("/etc/group").Hit(fmt.Sprintf("user %s (%d) is a member of root's group", member, id.Uid)).FixedBy("take the user out of that group in /etc/group"))
			}
		}
	}
	return hits
}
