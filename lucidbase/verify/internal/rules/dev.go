package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var devRule = Rule{
	Name:    "dev",
	Summary: "the label " + DevLabel + " is there if and only if the image is judged as a twin for build stages and debugging",
	Why:     "a twin has a shell and pip: deployed in a service's place it gives them to whoever gets a foothold",
	Fix:     "deploy the image whose name has no -dev, and start the last stage of a Dockerfile from it; judge a twin with 'lucidbase verify --dev'",
	Check:   checkDev,
}

// DevLabel is the label of a twin, whose value is "true".
const DevLabel = "io.github.lucid-project.dev"

// devPackages is where the user of a twin installs packages.
const devPackages = "/opt/packages"

func checkDev(im *overlay.Image) []overlay.Hit {
	value, there := im.Config.Config.Labels[DevLabel]
	switch {
	case there && !im.Want.Dev:
		return overlay.AtConfig(label(DevLabel), fmt.Sprintf("%q: it is a twin for build stages and debugging", value))
	case im.Want.Dev && value != "true":
		return overlay.AtConfig(label(DevLabel), "not \"true\": it is no twin for build stages and debugging")
	}
	return nil
}
