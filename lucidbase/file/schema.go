package file

import _ "embed"

// "go test ./lucidbase/file -update" writes it.
//
//go:embed schema.json
var schema string

// Schema returns the JSON schema of the file, draft 7, which editors complete and check
// it with.
func Schema() string { return schema }
