package secrets_test

import "github.com/lucid-project/base-images/lucidbase/verify/internal/verifytest"

// Short names of the fixtures, for tables of them.
type elfSpec = verifytest.ELFSpec

var (
	file       = verifytest.File
	craftELF   = verifytest.ELF
	bytesLayer = verifytest.BytesLayer
	tarOf      = verifytest.TarOf
)
