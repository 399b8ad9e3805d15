package rules

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var collisionRule = Rule{
	Name:    "collision",
	Summary: "no two distributions install one path with different content",
	Why:     "one has overwritten the other's file: what needs that fails, and which of them it is depends on the order of installation",
	Fix:     "keep one of them, or use versions that do not share the path; waive it where the file makes no difference, such as a licence",
	Check:   checkCollision,
}

// checkCollision finds distributions that have overwritten each other's files. What
// the same ones have in one directory of modules is one fault.
func checkCollision(im *overlay.Image) []overlay.Hit {
	gs := overlay.NewGroups()
	collisions := im.Collisions()
	for _, at := range slices.Sorted(maps.Keys(collisions)) {
		gs.Add(collisions[at].Entry, group(collisions[at]))
	}
	return gs.Hits(func(g *overlay.Group) string {
		parts := strings.Split(g.Key.Name, "\x00")
		owners, winner := parts[0], parts[1]
		if winner != "" {
			winner = "; it is that of " + winner
		}
		if len(g.Entries) == 1 {
			return owners + " install it with different content" + winner
		}
		return fmt.Sprintf("%s install %s with different content, such as %s%s", owners, overlay.Number(len(g.Entries), "file"), g.Entries[0].At, winner)
	})
}

// group is the key of those that make one finding.
func group(c *overlay.Collision) string {
	at := c.At
	if rest, ok := strings.CutPrefix(at, c.Claims[0].Site+"/"); ok && strings.Contains(rest, "/") {
		top, _, _ := strings.Cut(rest, "/")
		at = path.Join(c.Claims[0].Site, top)
	}
	return c.Owners() + "\x00" + c.Winner() + "\x00" + at
}
