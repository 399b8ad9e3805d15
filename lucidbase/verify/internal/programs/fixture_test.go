package programs_test

import "github.com/lucid-project/base-images/lucidbase/verify/internal/verifytest"

// Short names of the fixtures, for tables of them.
type elfSpec = verifytest.ELFSpec

var (
	program    = verifytest.Program
	craftELF   = verifytest.ELF
	with       = verifytest.ELFWith
	bytesLayer = verifytest.BytesLayer
	tarOf      = verifytest.TarOf
)
