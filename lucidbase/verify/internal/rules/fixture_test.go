package rules_test

import "github.com/lucid-project/base-images/lucidbase/verify/internal/verifytest"

// Short names of the fixtures, for tables of them.
type (
	tarEntry = verifytest.Entry
	elfSpec  = verifytest.ELFSpec
)

const (
	glibcLoader = verifytest.GlibcLoader
	muslLoader  = verifytest.MuslLoader
	debianLib   = verifytest.DebianLib
	sitePath    = verifytest.SitePath
)

var (
	file         = verifytest.File
	program      = verifytest.Program
	dir          = verifytest.Dir
	link         = verifytest.Link
	hardlink     = verifytest.Hardlink
	device       = verifytest.Device
	whiteout     = verifytest.Whiteout
	opaque       = verifytest.Opaque
	imageOf      = verifytest.ImageOf
	cleanConfig  = verifytest.CleanConfig
	cleanLayer   = verifytest.CleanLayer
	distribution = verifytest.Distribution
	tinyELF      = verifytest.TinyELF
	needing      = verifytest.Needing
	craftELF     = verifytest.ELF
	library      = verifytest.Library
	executable   = verifytest.Executable
	glibcLayer   = verifytest.GlibcLayer
	muslLayer    = verifytest.MuslLayer
)
