package verify

import "github.com/lucid-project/base-images/lucidbase/verify/internal/verifytest"

// Short names of the fixtures, for tables of them.
type tarEntry = verifytest.Entry

var (
	file        = verifytest.File
	program     = verifytest.Program
	layerOf     = verifytest.LayerOf
	imageOf     = verifytest.ImageOf
	cleanConfig = verifytest.CleanConfig
	cleanLayer  = verifytest.CleanLayer
)
