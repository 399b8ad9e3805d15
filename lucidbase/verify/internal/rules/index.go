package rules

import "github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"

var indexRule = Rule{
	Name:    "index",
	Summary: "the index has an image for each platform that was asked for, one each, and says of it what is true",
	Why:     "a machine gets no image, or that of another CPU",
	Fix:     "build all platforms together, and let the builder write the index",
	Check:   func(im *overlay.Image) []overlay.Hit { return im.Index },
}
