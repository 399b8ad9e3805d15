package elf

import "github.com/lucid-project/base-images/lucidbase/verify/internal/verifytest"

// Short names of the fixtures, for tables of them.
type elfSpec = verifytest.ELFSpec

var (
	craftELF = verifytest.ELF
)
