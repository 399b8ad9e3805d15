package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var healthcheckRule = Rule{
	Name:    "healthcheck",
	Summary: "a health check, if any, that runs without a shell a program that is there",
	Why:     "the container is never healthy",
	Fix:     `HEALTHCHECK CMD ["python", "-c", "..."], or leave it to the orchestrator`,
	Check:   checkHealthcheck,
}

func checkHealthcheck(im *overlay.Image) []overlay.Hit {
	const field = "config:Healthcheck"
	h := im.Config.Config.Healthcheck
	if h == nil || len(h.Test) == 0 {
		return nil
	}
	switch h.Test[0] {
	case "CMD-SHELL":
		return overlay.AtConfig(field, "CMD-SHELL needs a shell")
	case "CMD":
		if len(h.Test) == 1 {
			return overlay.AtConfig(field, "CMD without a program")
		}
		if hits := command(im, field, h.Test[1:]); len(hits) > 0 {
			return hits
		}
		if p := programOf(im, field, h.Test[1:]); p != nil {
			return overlay.WithFix(p.judge(), entryRule.Fix)
		}
		return nil
	case "NONE", "":
		return nil
	}
	return overlay.AtConfig(field, fmt.Sprintf("%q is neither CMD, CMD-SHELL nor NONE", h.Test[0]))
}
