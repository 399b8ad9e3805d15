package rules

import (
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var shellRule = Rule{
	Name:    "shell",
	Summary: "no shell, whatever it is called, and no link to one",
	Why:     "who gets a foothold in the service can run any command",
	Fix:     "remove the shell and the package that brings it; run the program itself, not through sh -c",
	Check:   checkShell,
}

func checkShell(im *overlay.Image) []overlay.Hit { return im.Tools(overlay.Shells).Hits() }
