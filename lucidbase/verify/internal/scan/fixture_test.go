package scan

import "github.com/lucid-project/base-images/lucidbase/verify/internal/verifytest"

// Short names of the fixtures, for tables of them.
type (
	tarEntry = verifytest.Entry
	elfSpec  = verifytest.ELFSpec
	rawLayer = verifytest.RawLayer
)

var (
	file        = verifytest.File
	link        = verifytest.Link
	hardlink    = verifytest.Hardlink
	device      = verifytest.Device
	whiteout    = verifytest.Whiteout
	opaque      = verifytest.Opaque
	layerOf     = verifytest.LayerOf
	craftELF    = verifytest.ELF
	bytesLayer  = verifytest.BytesLayer
	readerLayer = verifytest.ReaderLayer
	tarOf       = verifytest.TarOf
)
