package verify

import "github.com/lucid-project/base-images/lucidbase/verify/internal/scan"

// Facts are what a scan found in one layer: all that the rules ask for, and nothing
// that grows with the size of a file. The same layer has the same facts. They are
// there to be kept, in a Store or as JSON or gob: DiffID names the layer, Blob the
// compressed bytes that were read, and Format is FactsFormat of the program that
// made them.
type Facts = scan.Facts

// FactsFormat is the version of Facts: a Store's facts of another version are made
// again. It changes with whatever a scan looks at.
const FactsFormat = scan.Format
